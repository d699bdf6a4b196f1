"""The pages on a real Postgres."""

import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.test import Client, TestResponse

from otel_guard.alerts.incidents import Incidents, Policy
from otel_guard.alerts.links import acknowledge_url
from otel_guard.core.incident import Incident, Opening
from otel_guard.dashboard.application import Application
from otel_guard.dashboard.serving import server
from otel_guard.runtime.clock import SYSTEM
from otel_guard.store.incidents import find
from otel_guard.store.lane import Lane

KEY = "k" * 32
Query = Callable[..., list[dict[str, Any]]]


class Clock:
    """The real one, moved."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def now_ms(self) -> int:
        return SYSTEM.now_ms() + self.ahead_ms

    def monotonic(self) -> float:
        return SYSTEM.monotonic()

    def sleep(self, seconds: float) -> None:
        SYSTEM.sleep(seconds)


class Scene:
    """Incidents, their links, and a browser without scripts."""

    def __init__(self, dsn: str, key: str | None = KEY) -> None:
        self.lane = Lane(dsn, SYSTEM)
        self.clock = Clock()
        self.incidents = Incidents(Policy(channels=(), escalation={}), SYSTEM)
        self.application = Application(self.lane.transaction, self.incidents, key, self.clock)
        self.client = Client(self.application)

    def open(self, **fields: Any) -> str:
        values: dict[str, Any] = {
            "type": "high_error_rate",
            "rule": "error_burst",
            "dedup_key": "error_burst:production:web",
            "severity": "high",
            "message": "37 errors in last 5 minutes",
            "service": "web",
            "environment": "production",
            "value": 37.0,
            "threshold": 10.0,
        }
        with self.lane.transaction() as database:
            return self.incidents.open(database, Opening(**(values | fields))).id

    def link(self, incident_id: str, base: str = "http://ops.example") -> str:
        return acknowledge_url(base, KEY, incident_id, self.clock.now_ms()) or ""

    def get(self, link: str, method: str = "GET", **more: Any) -> TestResponse:
        parts = urlsplit(link)
        return self.client.open(parts.path, query_string=parts.query, method=method, **more)

    def state(self, incident_id: str) -> Incident:
        with self.lane.transaction() as database:
            return find(database, incident_id)[0]


@pytest.fixture
def scene(dsn: str) -> Iterator[Scene]:
    made = Scene(dsn)
    yield made
    made.lane.close()


@pytest.fixture
def address(scene: Scene) -> Iterator[str]:
    """The pages on a real server."""
    listening = server(scene.application, "127.0.0.1", 0)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.port}"
    listening.shutdown()
    thread.join()
    listening.server_close()
