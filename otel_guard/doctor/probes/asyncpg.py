"""asyncpg: a statement, and one on a table that is not there."""

import asyncio
from typing import Any

import asyncpg  # type: ignore[import-untyped]

from otel_guard.demo.standins.postgres import MISSING, start

__all__ = ["failing", "good", "start"]


def good(server: Any) -> None:
    """It is answered."""
    asyncio.run(_run(server, "SELECT 1"))


def failing(server: Any) -> None:
    """It is refused."""
    asyncio.run(_run(server, f"SELECT 1 FROM {MISSING}"))  # noqa: S608 - our own word


async def _run(server: Any, statement: str) -> None:
    connection = await asyncpg.connect(
        host="127.0.0.1", port=server.port, user="doctor", database="doctor", ssl=False, timeout=5
    )
    try:
        await connection.execute(statement)
    finally:
        connection.terminate()
