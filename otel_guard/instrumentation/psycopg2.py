"""psycopg2: contrib's spans, one a statement; connects where they fail."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from psycopg2.extensions import make_dsn, parse_dsn  # type: ignore[import-untyped]

from otel_guard.core import semconv, sql
from otel_guard.instrumentation._engine import Adopt, Instrumentation, Services
from otel_guard.instrumentation._engine_connect import Connects, watch_connects
from otel_guard.instrumentation._engine_driver import Driver, adopted, all_of, named

_CONTRIB: Final = "opentelemetry.instrumentation.psycopg2"
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


def adopt(services: Services) -> Callable[[], None]:
    """Start contrib's instrumentor, and watch what it does not."""
    theirs = adopted(_CONTRIB, "Psycopg2Instrumentor", DRIVER, services)
    naming = named(_CONTRIB, DRIVER, services) if theirs is not None else None
    return all_of([theirs, naming, watch_connects(services, CONNECTS)])


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
