"""sqlalchemy: a statement, and one on a table that is not there."""

from typing import Any

import sqlalchemy as sa

from otel_guard.doctor.probes._base import Nowhere as start  # noqa: N813 - as the stand-ins' function

__all__ = ["failing", "good", "start"]


def good(_server: Any) -> None:
    """It is answered."""
    _run("SELECT 1")


def failing(_server: Any) -> None:
    """It is refused."""
    _run("SELECT 1 FROM missing_table")


def _run(statement: str) -> None:
    engine = sa.create_engine("sqlite://")
    try:
        with engine.connect() as connection:
            connection.execute(sa.text(statement))
    finally:
        engine.dispose()
