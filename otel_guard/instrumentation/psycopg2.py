"""psycopg2: contrib's spans, one a statement; connects where they fail."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import psycopg2  # type: ignore[import-untyped]
from opentelemetry.instrumentation import psycopg2 as contrib
from psycopg2.extensions import connection, make_dsn, parse_dsn  # type: ignore[import-untyped]
from psycopg2.extensions import cursor as plain_cursor
from psycopg2.sql import Composable  # type: ignore[import-untyped]

from otel_guard.core import semconv, sql
from otel_guard.instrumentation._engine import Adopt, Instrumentation, Services, find, unwrap, wrap
from otel_guard.instrumentation._engine_connect import Connects, watch_connects
from otel_guard.instrumentation._engine_derived import Derived, subclass, watched_methods
from otel_guard.instrumentation._engine_driver import all_of, named
from otel_guard.instrumentation._engine_driver_spans import Driver, DriverSpans

_CONTRIB: Final = "opentelemetry.instrumentation.psycopg2"
_FACTORY: Final = 1  # its place among the arguments, of `connect` and of `cursor`
_METHODS: Final = ("execute", "executemany", "callproc")
_REPLICATION: Final = "ReplicationConnection"  # its cursors run no statements
_TRACER: Final = "_otel_guard_tracer"  # in the `__dict__` of a connection
DRIVER: Final = Driver(
    name="psycopg2",
    system="postgresql",
    context="database",
    digest=lambda text: sql.digest(text, "postgresql"),
)


def where(_instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Mapping[str, object]:
    """Server and database of a connect."""
    dsn = args[0] if args else kwargs.get("dsn")
    own = {key: kwargs[key] for key in ("host", "port", "dbname", "database") if kwargs.get(key) is not None}
    found = parse_dsn(make_dsn(dsn, **own))
    port = str(found.get("port") or "")
    return {
        semconv.SERVER_ADDRESS: found.get("host"),
        semconv.SERVER_PORT: int(port) if port.isdigit() else None,
        semconv.DB_NAMESPACE: found.get("dbname"),
    }


class CursorTracer(contrib.CursorTracer):
    """Contrib's, which takes a part of a composed statement for its text."""

    def get_statement(self, cursor: Any, args: Any) -> Any:
        """The text of a statement."""
        statement = args[0] if args else ""
        return statement.as_string(cursor) if isinstance(statement, Composable) else statement


class Connections:
    """Contrib's cursors take the place of a connection's own, such as `RealDictCursor`: these are derived from them."""

    def __init__(self, services: Services, spans: DriverSpans) -> None:
        self._services = services
        self._spans = spans
        self._cursors = Derived(lambda base: subclass((base,), watched_methods(base, _METHODS, _execute)))
        self._watched = subclass((connection,), {"cursor": self._cursor()})
        self._connections = Derived(self._derive)

    def connect(
        self, wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Connect; a factory that is no class stays as it is."""
        given = args[_FACTORY] if len(args) > _FACTORY else kwargs.get("connection_factory")
        factory = self._connections(given or connection)
        if len(args) > _FACTORY:
            made = wrapped(*args[:_FACTORY], factory, *args[_FACTORY + 1 :], **kwargs)
        else:
            made = wrapped(*args, **{**kwargs, "connection_factory": factory})
        with self._services.failsafe("psycopg2.connected"):
            if isinstance(made, self._watched):
                vars(made)[_TRACER] = self._tracer(made)
        return made

    def _tracer(self, made: Any) -> CursorTracer:
        own = contrib.Psycopg2Instrumentor
        integration = contrib.DatabaseApiIntegration(
            _CONTRIB,
            DRIVER.system,
            own._CONNECTION_ATTRIBUTES,  # noqa: SLF001 - where server and database are found
            tracer_provider=self._spans,
        )
        integration.get_connection_attributes(made)
        return CursorTracer(integration)

    def _derive(self, base: Any) -> type:
        if base is connection:
            return self._watched
        if not issubclass(base, connection) or any(kind.__name__ == _REPLICATION for kind in base.__mro__):
            made: type = base
            return made
        # Below the asked class, so that what this takes for its cursors is seen.
        return subclass((base, self._watched), {})

    def _cursor(self) -> Callable[..., Any]:
        def cursor(made: Any, *args: Any, **kwargs: Any) -> Any:
            given = args[_FACTORY] if len(args) > _FACTORY else kwargs.get("cursor_factory")
            factory = self._cursors(given or made.cursor_factory or plain_cursor)
            if len(args) > _FACTORY:
                return connection.cursor(made, *args[:_FACTORY], factory, *args[_FACTORY + 1 :], **kwargs)
            return connection.cursor(made, *args, **{**kwargs, "cursor_factory": factory})

        return cursor


def adopt(services: Services) -> Callable[[], None]:
    """Watch connections, unless the application's own instrumentor does, and connects that fail."""
    place = find(psycopg2, "connect")
    if place is None or contrib.Psycopg2Instrumentor().is_instrumented_by_opentelemetry:
        return watch_connects(services, CONNECTS)
    spans = DriverSpans(services, DRIVER)
    patch = wrap(place, Connections(services, spans).connect)
    naming = named(__name__, DRIVER, services)
    return all_of([spans.stop, naming, partial(unwrap, patch), watch_connects(services, CONNECTS)])


def _execute(cursor: Any, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    tracer = getattr(cursor.connection, _TRACER, None)
    return function(*args, **kwargs) if tracer is None else tracer.traced_execution(cursor, function, *args, **kwargs)


CONNECTS: Final = Connects(system="postgresql", context="database", places=(("psycopg2", "connect"),), where=where)
PSYCOPG2: Final = Instrumentation(
    name="psycopg2",
    requires="psycopg2 >= 2.8",
    context="database",
    targets=(
        Adopt(
            module="psycopg2",
            adopt=adopt,
            needs=(("psycopg2", "connect"), ("psycopg2.extensions", "cursor")),
        ),
    ),
)
