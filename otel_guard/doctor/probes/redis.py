"""redis: a value that is read, and a command that is refused."""

from contextlib import closing
from typing import Any

import redis

from otel_guard.demo.standins.redis import start

__all__ = ["failing", "good", "start"]


def good(server: Any) -> None:
    """It is read."""
    _run(server, "GET", "doctor")


def failing(server: Any) -> None:
    """It is of the wrong kind."""
    _run(server, "LPUSH", "doctor", "x")


def _run(server: Any, *command: str) -> None:
    options: Any = {"protocol": 2, "socket_timeout": 5}
    with closing(redis.Redis(host="127.0.0.1", port=server.port, **options)) as client:
        client.execute_command(*command)  # type: ignore[no-untyped-call]
