"""Whether a database is fit to be the store: reachable, migrated, writable by this role."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct
from psycopg import Connection, Error

from otel_guard.runtime.deadline import socket_deadline
from otel_guard.runtime.suppression import sending
from otel_guard.store.ask import ask
from otel_guard.store.dsn import normalise, target
from otel_guard.store.errors import translated
from otel_guard.store.lane import open_connection
from otel_guard.store.monitoring import seen
from otel_guard.store.statements import statement

ANSWER_S: Final = 5.0
STATEMENT_MS: Final = 3000


class Fitness(Struct, frozen=True, kw_only=True):
    """What was found; *version* None: the role may not read it."""

    where: str
    server_version: str
    role: str
    sees_others: bool
    has_schema: bool
    may_use: bool = False
    version: int | None = None
    missing: tuple[tuple[str, str], ...] = ()  # table, right
    has_monitor_rows: bool = False
    monitor_age_s: float | None = None
    monitor_period_s: float = 0.0


def look(dsn: str) -> Fitness:
    """Ask, without changing anything.

    Raises:
        SettingsError: it is no Postgres URL.
        StoreUnavailableError, SchemaError: it did not answer, or refused.
    """
    where = target(dsn)
    with sending():
        try:
            with (
                open_connection(normalise(dsn)) as database,
                socket_deadline(database.fileno(), ANSWER_S),
            ):
                database.execute(statement("begin"), {"statement_ms": STATEMENT_MS, "is_read_only": True})
                return _look(where, database)
        except (Error, OSError) as error:
            raise translated(error, where) from error


def _look(where: str, database: Connection[Any]) -> Fitness:
    server: Mapping[str, Any] = ask(database, "doctor_server")[0]
    if not server["has_schema"]:
        return Fitness(where=where, **server)
    missing = tuple((row["name"], row["lacks"]) for row in ask(database, "doctor_rights"))
    unreadable = {table for table, right in missing if right == "SELECT"}
    may_read = bool(server["may_use"])
    version = None
    if may_read and "schema_migrations" not in unreadable:
        version = int(ask(database, "schema_version")[0]["max"] or 0)
    found = Fitness(where=where, **server, missing=missing, version=version)
    if not may_read or not version or "heartbeats" in unreadable:
        return found
    return _with_monitor(found, database)


def _with_monitor(found: Fitness, database: Connection[Any]) -> Fitness:
    if not ask(database, "doctor_has_heartbeats")[0]["is_there"]:
        return found
    last = seen(database)
    return Fitness(
        where=found.where,
        server_version=found.server_version,
        role=found.role,
        sees_others=found.sees_others,
        has_schema=True,
        may_use=True,
        version=found.version,
        missing=found.missing,
        has_monitor_rows=True,
        monitor_age_s=None if last.at is None else (last.now - last.at).total_seconds(),
        monitor_period_s=last.period_s,
    )
