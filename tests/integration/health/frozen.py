"""A health whose every dependency is frozen, and how long it takes to answer then (for `make bench` too)."""

import os
import signal
import socket
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from otel_guard.core.web import Request
from otel_guard.demo.postgres import Postgres
from otel_guard.health.health import Health
from tests.unit.health.world import World

TOKEN = "t" * 32
LONGEST_MS = 5.0


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@contextmanager
def stopped(cluster: Postgres) -> Iterator[None]:
    """The server is there and does nothing."""
    os.kill(cluster.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(cluster.pid, signal.SIGCONT)


def settings(dsn: str, port: int) -> dict[str, Any]:
    """All checks: the database at *dsn*, everything else at a silent port."""
    url = f"http://127.0.0.1:{port}"
    tables: Mapping[str, object] = {
        "database": {"url_env": "DATABASE_URL"},
        "payment": {"key_env": "KEY", "url": url},
        "openai": {"key_env": "KEY", "url": url},
        "anthropic": {"key_env": "KEY", "url": url},
        "gemini": {"key_env": "KEY", "url": url},
        "storage": {"bucket": "files", "url": url},
        "email": {"host": f"127.0.0.1:{port}"},
        "cache": {"url_env": "REDIS_URL"},
    }
    environ = {"DATABASE_URL": dsn, "REDIS_URL": f"redis://127.0.0.1:{port}", "KEY": "k"}
    return {"tables": {"check": tables}, "environ": environ, "health_token": TOKEN, "dsn": dsn}


def freeze(world: World) -> None:
    """Let time pass until every check is known to hang."""
    for _ in range(4):
        world.look(20)


def ask(health: Health) -> bytes:
    """One request with details."""
    headers = {"authorization": f"Bearer {TOKEN}"}
    return health.answer("health", Request(method="GET", path="/health", headers=headers)).body


def answer_ms(health: Health, n: int = 1000) -> tuple[float, float]:
    """Median and worst time of *n* answers."""
    taken = []
    for _ in range(n):
        began = time.perf_counter_ns()
        ask(health)
        taken.append((time.perf_counter_ns() - began) / 1e6)
    return statistics.median(taken), max(taken)
