"""asyncpg: contrib's spans, one a statement, with their duration; connects, pools' too, where they fail."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg.connection  # type: ignore[import-untyped]

from otel_guard.core import semconv, sql
from otel_guard.instrumentation._engine import Adopt, Instrumentation, Services, find, unwrap, wrap
from otel_guard.instrumentation._engine_connect import Connects, watch_connects
from otel_guard.instrumentation._engine_driver import adopted, all_of
from otel_guard.instrumentation._engine_driver_spans import Driver

_METHODS: Final = ("execute", "executemany", "fetch", "fetchval", "fetchrow")
_STATEMENT: Final = ("query", "command")
DRIVER: Final = Driver(
    name="asyncpg",
    system="postgresql",
    context="database",
    digest=lambda text: sql.digest(text, "postgresql"),
    is_measured=lambda: True,  # contrib measures nothing
)


def where(_instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Mapping[str, object]:
    """Server and database of a connect; of several hosts none is named."""
    dsn = args[0] if args else kwargs.get("dsn")
    url = urlsplit(dsn if isinstance(dsn, str) else "")
    is_one = "," not in url.netloc
    return {
        semconv.SERVER_ADDRESS: kwargs.get("host") or (url.hostname if is_one else None),
        semconv.SERVER_PORT: kwargs.get("port") or (url.port if is_one else None),
        semconv.DB_NAMESPACE: kwargs.get("database") or url.path.strip("/"),
    }


def adopt(services: Services) -> Callable[[], None]:
    """Start contrib's instrumentor, and watch what it does not."""
    theirs = adopted("opentelemetry.instrumentation.asyncpg", "AsyncPGInstrumentor", DRIVER, services)
    return all_of([theirs, *_by_keyword(), watch_connects(services, CONNECTS)])


def _by_keyword() -> Iterator[Callable[[], object]]:
    """Contrib's wrappers raise where the statement is given by keyword."""
    for name in _METHODS:
        place = find(asyncpg.connection, f"Connection.{name}")
        if place is not None:
            yield partial(unwrap, wrap(place, _first))


def _first(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    given = next((name for name in _STATEMENT if name in kwargs), None) if not args else None
    if given is None:
        return wrapped(*args, **kwargs)
    return wrapped(kwargs[given], **{name: value for name, value in kwargs.items() if name != given})


CONNECTS: Final = Connects(
    system="postgresql",
    context="database",
    places=(
        ("asyncpg.connect_utils", "_connect"),  # whoever imported `connect` before us
        ("asyncpg.connection", "connect"),  # its time-out is told only here; pools too
        ("asyncpg", "connect"),
    ),
    where=where,
)
ASYNCPG: Final = Instrumentation(
    name="asyncpg",
    requires="asyncpg >= 0.27",
    context="database",
    targets=(
        Adopt(
            module="asyncpg",
            adopt=adopt,
            needs=(
                ("asyncpg.connection", "connect"),
                ("asyncpg.connection", "Connection.fetch"),
                ("asyncpg.cursor", "Cursor.forward"),
                ("asyncpg.cursor", "CursorIterator.__anext__"),
            ),
        ),
    ),
)
