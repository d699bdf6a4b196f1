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
from otel_guard.instrumentation._engine_derived import Derived, subclass, watched_methods
from otel_guard.instrumentation._engine_driver import all_of, named
from otel_guard.instrumentation._engine_driver_spans import Driver, DriverSpans

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
        self._connections = Derived(self._connection)
        self._cursors = Derived(lambda base: subclass((base,), self._methods(base)))

    def wrapped_connection(
        self, connect_method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Connect; a factory that is no class, or is given by its place, is left as it is."""
        if len(args) > _FACTORY:
            return connect_method(*args, **kwargs)
        factory = self._connections(kwargs.get("factory", sqlite3.Connection))
        return connect_method(*args, **{**kwargs, "factory": factory})

    def _connection(self, base: Any) -> type:
        def cursor(connection: Any, factory: Any = sqlite3.Cursor) -> Any:
            return base.cursor(connection, self._cursors(factory))

        methods = self._methods(base)
        if base.cursor is sqlite3.Connection.cursor:  # another's may take no factory
            methods["cursor"] = cursor
        return subclass((base,), methods)

    def _methods(self, base: Any) -> dict[str, Any]:
        return watched_methods(base, ("execute", "executemany"), self._execution)


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
