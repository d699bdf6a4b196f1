"""sqlite3: a statement, and one on a table that is not there."""

import sqlite3
from contextlib import closing
from typing import Any

from otel_guard.doctor.probes._base import Nowhere as start  # noqa: N813 - as the stand-ins' function

__all__ = ["failing", "good", "start"]


def good(_server: Any) -> None:
    """It is answered."""
    _run("SELECT 1")


def failing(_server: Any) -> None:
    """It is refused."""
    _run("SELECT 1 FROM missing_table")


def _run(statement: str) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(statement)
