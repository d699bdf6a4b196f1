"""One class for each error code, and its parts without importing a driver."""

import sqlite3
from types import SimpleNamespace

import pytest
from psycopg import errors

from otel_guard.core.database_errors import DatabaseFacts, code_of, error_class, facts_of


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (None, "connection"),
        ("", "connection"),
        ("08006", "connection"),
        ("57P01", "connection"),
        ("57014", "timeout"),
        ("XX000", "server"),
        ("58030", "server"),
        ("28P01", "auth"),
        ("42501", "auth"),
        ("53300", "quota"),
        ("3D000", "config"),
        ("25006", "config"),
        ("42P01", "client"),
        ("22P02", "client"),
        ("54000", "client"),
        ("23505", "constraint"),
        ("40001", "contention"),
        ("40P01", "contention"),
        ("55P03", "contention"),
        ("P0001", "unknown"),
        ("99999", "unknown"),
        ("SQLITE_BUSY", "contention"),
        ("SQLITE_CONSTRAINT_UNIQUE", "constraint"),
        ("SQLITE_CANTOPEN_ISDIR", "connection"),
        ("SQLITE_READONLY_DBMOVED", "config"),
        ("SQLITE_ERROR", "client"),
        ("sqlalchemy.exc.TimeoutError", "quota"),
        ("PoolTimeout", "quota"),
        ("TimeoutError", "timeout"),
        ("OperationalError", "connection"),
        ("ConnectionRefusedError", "connection"),
        ("IntegrityError", "constraint"),
        ("asyncpg.exceptions.UniqueViolationError", "constraint"),
        ("DeadlockDetected", "contention"),
        ("InvalidPasswordError", "auth"),
        ("InvalidCatalogNameError", "config"),
        ("QueryCanceled", "timeout"),
        ("AdminShutdown", "connection"),
        ("UndefinedTable", "client"),
        ("ProgrammingError", "client"),
        ("ZeroDivisionError", "unknown"),
    ],
)
def test_each_code_has_its_class(code: str | None, found: str) -> None:
    assert error_class(code) == found


class Psycopg2Error(Exception):
    pgcode = "23505"
    diag = SimpleNamespace(message_primary="duplicate", table_name="t", column_name=None, constraint_name="t_key")


class AsyncpgError(Exception):
    sqlstate = "23502"
    message = "null value"
    table_name = "t"
    column_name = "c"
    constraint_name = None


class Adapted(Exception):
    sqlstate = pgcode = "23502"


class Hostile(Exception):
    @property
    def sqlstate(self) -> str:
        raise RuntimeError

    sqlite_errorname = pgcode = sqlstate


def test_parts_are_read_from_each_driver() -> None:
    adapted = Adapted("<class 'x'>: null value DETAIL: Failing row contains (1)")
    adapted.__cause__ = AsyncpgError()

    assert facts_of(Psycopg2Error()) == DatabaseFacts("23505", "duplicate", "t", None, "t_key")
    assert facts_of(AsyncpgError()) == DatabaseFacts("23502", "null value", "t", "c", None)
    assert facts_of(adapted) == facts_of(AsyncpgError())
    assert facts_of(Adapted("x")) == DatabaseFacts("23502", "Adapted")
    assert facts_of(errors.UniqueViolation("x")) == DatabaseFacts("23505", "UniqueViolation")


def test_parts_are_read_from_sqlite() -> None:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE t (c UNIQUE)")
    database.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(sqlite3.IntegrityError) as unique:
        database.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(sqlite3.OperationalError) as syntax:
        database.execute("SELEC 'hush'")
    database.close()

    assert facts_of(unique.value) == DatabaseFacts(
        "SQLITE_CONSTRAINT_UNIQUE", "UNIQUE constraint failed: t.c", "t", "c"
    )
    assert facts_of(syntax.value) == DatabaseFacts("SQLITE_ERROR", "near ?: syntax error")
    assert code_of(syntax.value) == "SQLITE_ERROR"


@pytest.mark.parametrize("exc", [ValueError("x"), Hostile(), errors.OperationalError("no connection")])
def test_other_exceptions_have_no_parts(exc: BaseException) -> None:
    assert facts_of(exc) is None
    assert code_of(exc) is None
