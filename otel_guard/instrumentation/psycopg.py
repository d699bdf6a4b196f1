"""psycopg 3: contrib's spans, one a statement; connects and waits for the pool where they fail."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from otel_guard.core import semconv, sql
from otel_guard.instrumentation._engine import Adopt, Instrumentation, Services, find
from otel_guard.instrumentation._engine_connect import Connects, watch_connects
from otel_guard.instrumentation._engine_driver import adopted, all_of, named
from otel_guard.instrumentation._engine_driver_spans import Driver
from otel_guard.instrumentation._engine_patch import Place

_CONTRIB: Final = "opentelemetry.instrumentation.psycopg"
DRIVER: Final = Driver(
    name="psycopg",
    system="postgresql",
    context="database",
    digest=lambda text: sql.digest(text, "postgresql"),
)


def where(_instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Mapping[str, object]:
    """Server and database of a connect."""
    conninfo = args[0] if args else kwargs.get("conninfo", "")
    own = {key: kwargs[key] for key in ("host", "port", "dbname") if key in kwargs}
    return _place(conninfo_to_dict(conninfo, **own))


def where_pooled(pool: Any, _args: tuple[Any, ...], _kwargs: dict[str, Any]) -> Mapping[str, object]:
    """Server and database of a pool; where they are computed anew for each connection, nothing."""
    conninfo, kwargs = getattr(pool, "conninfo", ""), getattr(pool, "kwargs", None)
    return where(None, (conninfo,) if isinstance(conninfo, str) else (), kwargs if isinstance(kwargs, dict) else {})


def adopt(services: Services) -> Callable[[], None]:
    """Start contrib's instrumentor, and watch what it does not."""
    repairing = partial(_repair, [place for _, dotted in CONNECTS.places if (place := find(psycopg, dotted))])
    theirs = adopted(_CONTRIB, "PsycopgInstrumentor", DRIVER, services)
    naming = named(_CONTRIB, DRIVER, services) if theirs is not None else None
    return all_of([repairing, theirs, naming, watch_connects(services, CONNECTS)])


def adopt_pool(services: Services) -> Callable[[], None]:
    """Watch what a pool refuses."""
    return watch_connects(services, POOLED)


def _repair(places: list[Place]) -> None:
    """Contrib puts back a method bound to the class, which would make no connection of a derived one."""
    for place in places:
        if isinstance(place.original, classmethod) and inspect.ismethod(vars(place.owner).get(place.name)):
            setattr(place.owner, place.name, place.original)


def _place(found: Mapping[str, Any]) -> dict[str, object]:
    port = str(found.get("port") or "")
    return {
        semconv.SERVER_ADDRESS: found.get("host"),
        semconv.SERVER_PORT: int(port) if port.isdigit() else None,
        semconv.DB_NAMESPACE: found.get("dbname"),
    }


CONNECTS: Final = Connects(
    system="postgresql",
    context="database",
    places=(
        (psycopg.__name__, "connect"),
        (psycopg.__name__, "Connection.connect"),
        (psycopg.__name__, "AsyncConnection.connect"),
    ),
    where=where,
)
POOLED: Final = Connects(
    system="postgresql",
    context="database",
    places=(("psycopg_pool", "ConnectionPool.getconn"), ("psycopg_pool", "AsyncConnectionPool.getconn")),
    where=where_pooled,
)
PSYCOPG: Final = Instrumentation(
    name="psycopg",
    requires="psycopg >= 3.1",
    context="database",
    targets=(
        Adopt(
            module="psycopg",
            adopt=adopt,
            needs=(
                ("psycopg", "connect"),
                ("psycopg", "Connection.connect"),
                ("psycopg", "AsyncConnection.connect"),
                ("psycopg", "Cursor.execute"),
            ),
        ),
        Adopt(
            module="psycopg_pool",
            adopt=adopt_pool,
            needs=(("psycopg_pool", "ConnectionPool.getconn"), ("psycopg_pool", "AsyncConnectionPool.getconn")),
            optional=True,
        ),
    ),
)
