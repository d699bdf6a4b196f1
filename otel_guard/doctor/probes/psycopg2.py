"""psycopg2: a statement, and one on a table that is not there."""

from contextlib import closing
from typing import Any

import psycopg2  # type: ignore[import-untyped]

from otel_guard.demo.standins.postgres import MISSING, start

__all__ = ["failing", "good", "start"]


def good(server: Any) -> None:
    """It is answered."""
    _run(server, "SELECT 1")


def failing(server: Any) -> None:
    """It is refused."""
    _run(server, f"SELECT 1 FROM {MISSING}")  # noqa: S608 - our own word


def _run(server: Any, statement: str) -> None:
    where = f"host=127.0.0.1 port={server.port} user=doctor dbname=doctor sslmode=disable connect_timeout=5"
    with closing(psycopg2.connect(where)) as connection:
        connection.autocommit = True
        connection.cursor().execute(statement)
