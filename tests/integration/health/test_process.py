import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_guard.runtime.http import NoAnswerError, Response, request

ROOT = Path(__file__).parents[3]
TOKEN = "t" * 32
LIMIT_S = 40.0


class Site:
    """Two forked workers on one port."""

    def __init__(self, folder: Path, dsn: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        (folder / "otel_guard.toml").write_text("[check.database]\nurl_env = 'DATABASE_URL'\n")
        variables = {
            "OTEL_GUARD_DSN": dsn,
            "DATABASE_URL": dsn,
            "OTEL_GUARD_JOURNAL_DIR": str(folder / "journal"),
            "OTEL_GUARD_CONFIG": str(folder / "otel_guard.toml"),
            "OTEL_GUARD_HEALTH_TOKEN": TOKEN,
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
            "GIT_SHA": "a1b2c3d",
        }
        command = ["-m", "gunicorn", "--preload", "--workers=2", f"--bind=127.0.0.1:{self.port}", "served:app"]
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, *command],
            cwd=Path(__file__).parent,
            env=os.environ | variables | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
            stdout=self._log,
            stderr=self._log,
        )

    def get(self, path: str) -> Response:
        """Ask one of the workers."""
        return request(
            "GET",
            f"http://127.0.0.1:{self.port}{path}",
            {"Authorization": f"Bearer {TOKEN}"},
            limit_bytes=100_000,
        )

    def body(self, path: str) -> Any:
        """The answer as a value."""
        return json.loads(self.get(path).body)

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for a condition; no answer is not yet."""
        limit = time.monotonic() + LIMIT_S
        while True:
            try:
                if holds():
                    return
            except NoAnswerError:
                pass
            assert time.monotonic() < limit, Path(self._log.name).read_text()
            time.sleep(0.1)  # noqa: TID251 - another process has to come to it

    def close(self) -> None:
        """End the workers."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)
        self._log.close()


@pytest.fixture
def site(tmp_path: Path, dsn: str) -> Iterator[Site]:
    """A served shop."""
    made = Site(tmp_path, dsn)
    yield made
    made.close()


def test_forked_workers_tell_their_health_together(site: Site, query: Callable[..., list[dict[str, object]]]) -> None:
    site.until(lambda: site.get("/livez").status == 200)
    site.until(lambda: all(site.get("/readyz").status == 200 for _ in range(6)))
    for number in range(30):
        site.get(f"/?user=u{number}")
    site.until(lambda: len(query("SELECT 1 FROM otel_guard.dependency_status WHERE name = 'database'")) >= 2)
    site.until(lambda: site.body("/health")["metrics"]["active_users"] is not None)
    body = site.body("/health")

    assert (body["status"], body["version"]) == ("healthy", "a1b2c3d")
    assert body["services"]["database"] | {"latency_ms": 0} == {
        "status": "healthy",
        "critical": True,
        "source": "active",
        "latency_ms": 0,
    }
    site.until(lambda: site.body("/health")["scope"] == "service")
    threads = {"otel-guard-alerts", "otel-guard-scheduler", "otel-guard-sentry", "otel-guard-postgres"}
    assert {name for name in site.body("/threads") if not name.startswith("otel-guard-probe")} <= threads
