"""The one Postgres connection of a process: its threads take turns."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from psycopg import Connection, Error, connect
from psycopg.rows import TupleRow, tuple_row

from otel_guard.core.exceptions import SchemaError, StoreUnavailableError
from otel_guard.runtime.clock import Clock
from otel_guard.runtime.deadline import socket_deadline
from otel_guard.store.dsn import normalise, target
from otel_guard.store.errors import RecordRefusedError, translated
from otel_guard.store.migrate import needed_version
from otel_guard.store.statements import statement

CONNECT_S: Final = 3
STATEMENT_MS: Final = 2000
# A frozen peer answers neither statement_timeout nor keepalives: the socket is shut down.
WATCHDOG_S: Final = 4.0
IDLE_S: Final = 60.0
TURN_S: Final = 5.0  # a batch of records takes at most 4 s
# What encoding a record can raise beside psycopg's own.
_ENCODING: Final = (UnicodeError, OverflowError, RecursionError, TypeError)


class Lane:
    """Opens the connection when it is needed, and a new one after each trouble.

    No `options=`, no prepared statements, no plain SET: pgbouncer in transaction mode refuses the first and leaks the others.
    """

    def __init__(self, dsn: str, clock: Clock) -> None:
        self.where = target(dsn)
        self._dsn = normalise(dsn)
        self._clock = clock
        self._connection: Connection[TupleRow] | None = None
        self._pid = os.getpid()
        self._turn = threading.Lock()  # guards the connection
        self._used_at = 0.0

    @contextmanager
    def transaction(
        self, *, statement_ms: int = STATEMENT_MS, is_read_only: bool = False, turn_s: float = TURN_S
    ) -> Iterator[Connection[TupleRow]]:
        """Give a connection within a transaction, committed at the end; 2 s more than a statement's in all.

        *turn_s*: how long to wait while another thread has it; not for code that may run within a transaction of its own thread.

        Raises:
            StoreUnavailableError, SchemaError, RecordRefusedError: as `errors.translated` says.
        """
        self._let_go_of_parents()
        turn = self._turn
        if not turn.acquire(timeout=turn_s):
            raise StoreUnavailableError(f"Postgres ({self.where}): other threads kept the connection for {turn_s:g} s")
        try:
            limit_s = statement_ms / 1000 + WATCHDOG_S - STATEMENT_MS / 1000
            with self._within(limit_s) as connection:
                connection.execute(statement("begin"), {"statement_ms": statement_ms, "is_read_only": is_read_only})
                yield connection
            self._used_at = self._clock.monotonic()
        finally:
            turn.release()

    def close(self) -> None:
        """Close the connection, once nobody uses it; the next transaction opens another."""
        self._let_go_of_parents()
        if self._turn.acquire(timeout=TURN_S):
            try:
                self._drop()
            finally:
                self._turn.release()

    def close_if_idle(self) -> None:
        """Close it after a minute without a transaction."""
        if self._connection is not None and self._clock.monotonic() - self._used_at >= IDLE_S:
            self.close()

    @contextmanager
    def _within(self, limit_s: float) -> Iterator[Connection[TupleRow]]:
        """Commit at the end, or roll back; after trouble with the connection it is dropped."""
        connection = self._connected()
        try:
            with socket_deadline(connection.fileno(), limit_s):
                try:
                    yield connection
                    connection.commit()
                except BaseException:
                    if not connection.broken:
                        connection.rollback()
                    raise
        except (Error, *_ENCODING) as error:
            ours = translated(error, self.where)
            if not isinstance(ours, RecordRefusedError):
                self._drop()
            raise ours from error
        except BaseException:
            self._drop()
            raise

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _let_go_of_parents(self) -> None:
        """After a fork: the parent goes on with its connection, a lock that it held is held in the child for ever."""
        if self._pid != os.getpid():
            self._connection, self._turn, self._pid = None, threading.Lock(), os.getpid()

    def _connected(self) -> Connection[TupleRow]:
        if self._connection is None or self._connection.closed:
            try:
                self._connection = open_connection(self._dsn)
                self._check_version(self._connection)
            except (Error, SchemaError) as error:
                self._drop()
                raise translated(error, self.where) if isinstance(error, Error) else error from error
        return self._connection

    def _check_version(self, connection: Connection[TupleRow]) -> None:
        with socket_deadline(connection.fileno(), WATCHDOG_S):
            check_version(connection, self.where)
            connection.rollback()


def open_connection(dsn: str) -> Connection[TupleRow]:
    """Connect within 3 s an address."""
    return connect(dsn, connect_timeout=CONNECT_S, application_name="otel_guard", prepare_threshold=None)


def check_version(connection: Connection[Any], where: str) -> None:
    """Raise SchemaError if the schema is older than the statements of this release."""
    row = connection.cursor(row_factory=tuple_row).execute(statement("schema_version")).fetchone()
    version = int(row[0] or 0) if row else 0
    if version < needed_version():
        raise SchemaError(
            f"Postgres ({where}): the schema otel_guard is at version {version}, this otel-guard needs "
            f"{needed_version()}: run `otel-guard migrate`"
        )
