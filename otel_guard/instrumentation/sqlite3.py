"""sqlite3, if asked for: contrib's spans, one a statement, on connections that stay sqlite3's own."""

import sqlite3
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, Final

from opentelemetry.instrumentation import dbapi

from otel_guard.core import sql
from otel_guard.instrumentation._engine import Adopt, Instrumentation, Services, find, unwrap, wrap
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

    def __init__(self, spans: DriverSpans) -> None:
        super().__init__(_CONTRIB, DRIVER.system, connection_attributes={}, tracer_provider=spans)
        self._execution = CursorTracer(self).traced_execution
        self._classes: dict[type, type] = {}

    def wrapped_connection(
        self, connect_method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Connect; a factory that is no class, or is given by its place, is left as it is."""
        factory = kwargs.get("factory", sqlite3.Connection)
        if len(args) > _FACTORY or not isinstance(factory, type):
            return connect_method(*args, **kwargs)
        return connect_method(*args, **{**kwargs, "factory": self._derived(factory, self._connection)})

    def _derived(self, base: type, derive: Callable[[Any], type]) -> type:
        if base not in self._classes:
            self._classes[base] = derive(base)
        return self._classes[base]

    def _connection(self, base: Any) -> type:
        def cursor(connection: Any, factory: Any = sqlite3.Cursor) -> Any:
            watched = self._derived(factory, self._cursor) if isinstance(factory, type) else factory
            return base.cursor(connection, watched)

        methods = self._methods(base)
        if base.cursor is sqlite3.Connection.cursor:  # another's may take no factory
            methods["cursor"] = cursor
        return _class(base, methods)

    def _cursor(self, base: Any) -> type:
        return _class(base, self._methods(base))

    def _methods(self, base: Any) -> dict[str, Any]:
        def execute(made: Any, *args: Any) -> Any:
            return self._execution(made, partial(base.execute, made), *args)

        def executemany(made: Any, *args: Any) -> Any:
            return self._execution(made, partial(base.executemany, made), *args)

        return {"execute": execute, "executemany": executemany}


def adopt(services: Services) -> Callable[[], None]:
    """Watch connections, unless the application's own instrumentor does, and connects that fail."""
    if import_module(_CONTRIB).SQLite3Instrumentor().is_instrumented_by_opentelemetry:
        return watch_connects(services, CONNECTS)
    spans = DriverSpans(services, DRIVER)
    connections = Connections(spans)

    def connect(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return connections.wrapped_connection(wrapped, args, kwargs)

    patches = [wrap(place, connect) for place in (find(import_module(name), "connect") for name in _MODULES) if place]
    naming = named(__name__, DRIVER, services)
    return all_of(
        [spans.stop, naming, *(partial(unwrap, patch) for patch in patches), watch_connects(services, CONNECTS)]
    )


def _class(base: Any, methods: dict[str, Any]) -> type:
    names = {"__slots__": (), "__module__": base.__module__, "__qualname__": base.__qualname__, "__doc__": base.__doc__}
    return type(base.__name__, (base,), {**names, **methods})


CONNECTS: Final = Connects(
    system="sqlite",
    context="database",
    places=tuple((module, "connect") for module in _MODULES),
    where=lambda *_: {},  # a path may be a customer's name
)
SQLITE3: Final = Instrumentation(
    name="sqlite3",
    requires="",
    context="database",
    targets=(Adopt(module="sqlite3", adopt=adopt, needs=(("sqlite3", "connect"),)),),
)
