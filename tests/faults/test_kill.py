"""SIGKILL at any moment: what the application was told is kept is in Postgres once, whoever reads on."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_guard.demo.processes import environment, script
from otel_guard.demo.standins import sentry

LIMIT_S = 60
# Prints the id of each record that was kept; the storm's counting is not what is tested, so each place is another.
BUSY = """
import os
import threading
import otel_guard

otel_guard.configure()

def fail(number):
    try:
        raise type(f"Bug{number % 500}", (Exception,), {})(f"order {number}")
    except Exception:
        os.write(1, f"{otel_guard.capture_error()}\\n".encode())

def work(first):
    for number in range(first, 100000, 3):
        fail(number)

threads = [threading.Thread(target=work, args=(first,), daemon=True) for first in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
# Lives until all of the dead one's journals are gone.
NEXT = """
import pathlib, sys, threading
import otel_guard

otel_guard.configure()
folder, waiting, left = pathlib.Path(sys.argv[1]), threading.Event(), 400
dead = sys.argv[2:]
while left and any(list(folder.glob(f"*/{writer}-*.seg")) for writer in dead):
    waiting.wait(0.1)
    left -= 1
"""

Query = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def server() -> Iterator[sentry.Sentry]:
    started = sentry.start()
    yield started
    started.stop()


@pytest.fixture
def env(dsn: str, server: sentry.Sentry, tmp_path: Path) -> dict[str, str]:
    return environment(
        {
            "OTEL_GUARD_DSN": dsn,
            "OTEL_GUARD_JOURNAL_DIR": str(tmp_path / "journal"),
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_METRICS_EXPORTER": "none",
            "SENTRY_DSN": server.dsn,
        }
    )


def _killed_after(count: int, env: dict[str, str], folder: Path) -> list[str]:
    """Run BUSY until it said *count* ids, SIGKILL it; all ids that it said."""
    with subprocess.Popen([sys.executable, "-c", BUSY], env=env, cwd=folder, stdout=subprocess.PIPE, text=True) as busy:
        assert busy.stdout is not None
        ids = [busy.stdout.readline().strip() for _ in range(count)]
        busy.send_signal(signal.SIGKILL)
        ids += [line.strip() for line in busy.stdout if line.endswith("\n")]
        assert busy.wait(LIMIT_S) == -signal.SIGKILL
    return [record_id for record_id in ids if record_id and record_id != "None"]


def _stored(query: Query) -> list[str]:
    return [str(row["id"]) for row in query("SELECT id::text FROM otel_guard.system_errors")]


@pytest.mark.parametrize("count", [1, 150, 600])
def test_drain_delivers_every_record_that_a_killed_process_had_said_is_kept(
    env: dict[str, str], query: Query, tmp_path: Path, count: int
) -> None:
    said = _killed_after(count, env, tmp_path)
    drained = subprocess.run(
        [script("otel-guard"), "drain"],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert drained.returncode == 0, drained.stdout + drained.stderr
    stored = _stored(query)
    assert len(stored) == len(set(stored))
    assert set(said) <= set(stored), f"{len(set(said) - set(stored))} of {len(said)} lost"
    assert not list(tmp_path.glob("journal/*/*.seg"))


def test_the_next_process_adopts_what_two_killed_ones_left_and_sentry_has_each_once(
    env: dict[str, str], query: Query, server: sentry.Sentry, postgres: Any, tmp_path: Path
) -> None:
    postgres.cluster.stop()
    try:
        said = _killed_after(30, env, tmp_path) + _killed_after(30, env, tmp_path)
    finally:
        postgres.cluster.start_again()
    dead = [path.stem for path in tmp_path.glob("journal/*/*.own")]
    assert len(dead) == 2
    ran = subprocess.run(
        [sys.executable, "-c", NEXT, str(tmp_path / "journal"), *dead],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert set(said) <= set(_stored(query))
    events = [event.event_id for event in server.events]
    assert {record_id.replace("-", "") for record_id in said} <= set(events)
    assert not list(tmp_path.glob("journal/*/*.seg"))
