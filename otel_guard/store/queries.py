"""What people read of the store: groups, one error, slow queries, the state at a glance."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from psycopg import Connection, Error
from psycopg.rows import DictRow, dict_row

from otel_guard.runtime.suppression import sending
from otel_guard.store.dsn import normalise, target
from otel_guard.store.errors import translated
from otel_guard.store.lane import check_version, open_connection
from otel_guard.store.statements import statement

Row = dict[str, Any]

EXACT_S: Final = 48 * 3600
MOST: Final = 200


@contextmanager
def reading(dsn: str) -> Iterator[Connection[DictRow]]:
    """Give a connection whose transaction only reads; times come in UTC.

    Raises:
        SettingsError, StoreUnavailableError, SchemaError: with what to do.
    """
    where = target(dsn)
    with sending():
        try:
            with open_connection(normalise(dsn)) as connection:
                check_version(connection, where)
                connection.rollback()
                connection.execute(statement("begin_read"))
                reader: Any = connection
                reader.row_factory = dict_row
                yield reader
        except Error as error:
            raise translated(error, where) from error


def groups(database: Connection[DictRow], since_s: float) -> list[Row]:
    """Groups seen in the last *since_s* seconds, worst first: their columns, `n` in that time, `is_new`."""
    name = "select_groups_recent" if since_s <= EXACT_S else "select_groups_hours"
    return database.execute(statement(name), {"since_s": since_s, "most": MOST}).fetchall()


def error(database: Connection[DictRow], given: str) -> Row | None:
    """One error in full by the end of its id, or the newest of a fingerprint given by its beginning."""
    given = given.strip().lower()
    if not given or not set(given) <= set("0123456789abcdef-"):
        return None
    for name in ("select_error_by_fingerprint", "select_error_by_id"):
        if (row := database.execute(statement(name), {"given": given}).fetchone()) is not None:
            return row
    return None


def group(database: Connection[DictRow], fingerprint: str | None) -> Row | None:
    """All columns of one group."""
    return database.execute(statement("select_group"), {"fingerprint": fingerprint}).fetchone()


def trace(database: Connection[DictRow], trace_id: str) -> list[Row]:
    """The errors of one trace, in their order."""
    return database.execute(statement("select_trace"), {"trace_id": trace_id.strip().lower()}).fetchall()


def slow(database: Connection[DictRow], since_s: float) -> list[Row]:
    """Slow calls of the last *since_s* seconds, most time first."""
    return database.execute(statement("select_slow"), {"since_s": since_s, "most": MOST}).fetchall()


def status(database: Connection[DictRow]) -> Row:
    """Incidents, switches, monitor, processes."""
    return {
        "incidents": database.execute(statement("select_incident_counts")).fetchone(),
        "switches": database.execute(statement("select_switches")).fetchall(),
        "monitor": database.execute(statement("select_monitor")).fetchone(),
        "processes": database.execute(statement("select_processes")).fetchall(),
    }
