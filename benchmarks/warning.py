"""From a critical error to Slack's socket, and what `/health` takes, each as a distribution."""

import json
import os
import statistics
import sys
import time

import psycopg

import otel_guard
from benchmarks import guards
from otel_guard.demo.standins import slack

TRIALS = 200
ANSWERS = 2_000
PATIENCE_S = 30.0


def to_slack() -> dict[str, float]:
    """Seconds from `capture_error` to the request's arrival, one incident a trial, each forgotten after it."""
    server = slack.start()
    os.environ["SLACK_WEBHOOK_URL"] = server.url
    guards.start()
    found = []
    with psycopg.connect(os.environ["OTEL_GUARD_DSN"], autocommit=True) as database:
        for number in range(TRIALS):
            before = len(server.messages)
            begun_ms = time.time_ns() / 1e6
            _fail(number)
            until = time.monotonic() + PATIENCE_S
            while len(server.messages) == before:
                if time.monotonic() > until:
                    raise RuntimeError(f"no message of trial {number}")
                time.sleep(0.002)  # noqa: TID251 - the figure is the server's time of arrival
            found.append(max(0.0, server.messages[-1].at_ms - begun_ms) / 1000)
            # The message counts as delivered only after its answer; then nothing of it may throttle the next.
            while not _is_settled(database):
                time.sleep(0.002)  # noqa: TID251
            database.execute("TRUNCATE otel_guard.incidents, otel_guard.alert_outbox, otel_guard.channel_state")
    server.stop()
    return {"p50_s": statistics.median(found), "p99_s": statistics.quantiles(found, n=100)[98]}


def answers() -> dict[str, float]:
    """Milliseconds of one `/health`, with a snapshot of a service whose dependencies are judged."""
    from otel_guard.core.web import Request

    guard = guards.start()
    asked = Request(method="GET", path="/health")
    guard.health.answer("health", asked)
    found = []
    for _ in range(ANSWERS):
        begun = time.perf_counter_ns()
        guard.health.answer("health", asked)
        found.append((time.perf_counter_ns() - begun) / 1e6)
    return {"p50_ms": statistics.median(found), "p99_ms": statistics.quantiles(found, n=100)[98]}


def _fail(number: int) -> None:
    try:
        _ask_the_vault(number)
    except RuntimeError as error:
        otel_guard.capture_error(error, severity="critical")


def _ask_the_vault(number: int) -> None:
    raise RuntimeError(f"the vault did not answer order {number}")


def _is_settled(database: "psycopg.Connection[tuple[object, ...]]") -> bool:
    row = database.execute(
        "SELECT count(*) FROM otel_guard.alert_outbox WHERE state IN ('pending', 'sending')"
    ).fetchone()
    return row == (0,)


if __name__ == "__main__":
    print(json.dumps({"to_slack": to_slack, "answers": answers}[sys.argv[1]]()))
    sys.stdout.flush()
