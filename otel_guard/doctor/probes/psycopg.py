"""psycopg: a statement, and one on a table that is not there."""

from importlib import import_module
from typing import Any, Final

from otel_guard.demo.standins.postgres import MISSING, start

__all__ = ["failing", "good", "start"]
_PSYCOPG: Final[Any] = import_module("psycopg")  # elsewhere only the store may speak it


def good(server: Any) -> None:
    """It is answered."""
    _run(server, "SELECT 1")


def failing(server: Any) -> None:
    """It is refused."""
    _run(server, f"SELECT 1 FROM {MISSING}")  # noqa: S608 - our own word


def _run(server: Any, statement: str) -> None:
    where = f"host=127.0.0.1 port={server.port} user=doctor dbname=doctor sslmode=disable connect_timeout=5"
    with _PSYCOPG.connect(where, autocommit=True) as connection:
        connection.execute(statement.encode())
