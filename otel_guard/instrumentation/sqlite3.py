"""sqlite3, if asked for: contrib's spans, one a statement, on connections that stay sqlite3's own."""

import sqlite3
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from msgspec import structs
from opentelemetry.instrumentation import dbapi

from otel_guard.core import sql
from otel_guard.instrumentation._engine import Adopt, Instrumentation, Services
from otel_guard.instrumentation._engine_connect import Connects, watch_connects
from otel_guard.instrumentation._engine_driver import Driver, DriverSpans, all_of, named

_CONTRIB: Final = "opentelemetry.instrumentation.sqlite3"
_FACTORY: Final = 5  # its place among the arguments of `connect`
_MODULES: Final = ("sqlite3", "sqlite3.dbapi2")
DRIVER: Final = Driver(
    name="sqlite3",
    system="sqlite",
    context="database",
    digest=lambda text: sql.digest(text, "sqlite"),
)


class CursorTracer(dbapi.CursorTracer[Any]):
    """Contrib's, in this module so that its operations get our names."""


class Connections(dbapi.DatabaseApiIntegration):
    """Contrib's proxies break `Connection.backup`: here a connection is of a class derived from the asked one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tracer_of_cursors = CursorTracer(self)
        self._classes: dict[type, type] = {}

    def wrapped_connection(
        self, connect_method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Connect; a factory that is no class, or given by its place, is left as it is."""
        factory = kwargs.get("factory", sqlite3.Connection)
        if len(args) > _FACTORY or not isinstance(factory, type):
            return connect_method(*args, **kwargs)
        return connect_method(*args, **{**kwargs, "factory": self._derived(factory, self._connection)})

    def _derived(self, base: type, derive: Callable[[type], type]) -> type:
        if base not in self._classes:
            self._classes[base] = derive(base)
        return self._classes[base]

    def _connection(self, base: Any) -> type:
        execution, derived, cursor_of = self._tracer_of_cursors.traced_execution, self._derived, self._cursor

        def cursor(self: Any, factory: Any = sqlite3.Cursor) -> Any:
            return base.cursor(self, derived(factory, cursor_of) if isinstance(factory, type) else factory)

        def execute(self: Any, *args: Any) -> Any:
            return execution(self, base.execute.__get__(self), *args)

        def executemany(self: Any, *args: Any) -> Any:
            return execution(self, base.executemany.__get__(self), *args)

        return _class(base, {"cursor": cursor, "execute": execute, "executemany": executemany})

    def _cursor(self, base: Any) -> type:
        execution = self._tracer_of_cursors.traced_execution

        def execute(self: Any, *args: Any) -> Any:
            return execution(self, base.execute.__get__(self), *args)

        def executemany(self: Any, *args: Any) -> Any:
            return execution(self, base.executemany.__get__(self), *args)

        return _class(base, {"execute": execute, "executemany": executemany})


def adopt(services: Services) -> Callable[[], None]:
    """Wrap `connect`, unless the application's own instrumentor has it, and watch it fail."""
    watching = watch_connects(services, CONNECTS)
    if import_module(_CONTRIB).SQLite3Instrumentor().is_instrumented_by_opentelemetry:
        return watching
    spans = DriverSpans(services, DRIVER)
    connections = Connections(
        _CONTRIB, DRIVER.system, connection_attributes={}, tracer_provider=spans, meter_provider=services.meter_provider
    )
"""
"""
