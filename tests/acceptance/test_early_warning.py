"""People learn of trouble within seconds, once: whole processes, a real Postgres, a Slack that refuses what Slack does."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from otel_guard.demo.processes import Child, script
from otel_guard.demo.standins import make, slack
from otel_guard.runtime.clock import SYSTEM
from tests.conftest import Server

STORM = Path(__file__).with_name("storming.py")
KINDS = 3
SECRET = "make-" + "s" * 32
POLL_S = 0.1

Query = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def slack_server() -> Iterator[slack.Slack]:
    server = slack.start()
    yield server
    server.stop()


@pytest.fixture
def make_server() -> Iterator[make.Make]:
    server = make.start(SECRET, confirms=True)
    yield server
    server.stop()


@pytest.fixture
def told_env(env: dict[str, str], slack_server: slack.Slack, make_server: make.Make) -> dict[str, str]:
    """An application's environment with both channels."""
    return {
        **env,
        "SLACK_WEBHOOK_URL": slack_server.url,
        "MAKE_WEBHOOK_URL": make_server.url,
        "MAKE_SIGNING_SECRET": SECRET,
        "OTEL_GUARD_ENVIRONMENT": "production",
    }


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Wait for *condition*, at most *seconds*."""
    until = SYSTEM.monotonic() + seconds
    while not condition():
        if SYSTEM.monotonic() > until:
            return False
        SYSTEM.sleep(POLL_S)
    return True


@contextmanager
def storm(env: dict[str, str], count: int) -> Iterator["subprocess.Popen[str]"]:
    """A process that fails *count* times and then waits for a line."""
    with subprocess.Popen(
        [sys.executable, str(STORM), str(count)], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)


@contextmanager
def monitor(env: dict[str, str], folder: Path) -> Iterator[Child]:
    """The daemon, leading."""
    child = Child([script("otel-guard"), "monitor", "--verbose"], env=env, cwd=folder, log=folder / "monitor.log")
    try:
        assert within(20, lambda: "leads" in child.log_path.read_text())
        yield child
    finally:
        child.stop()


def test_a_storm_of_three_kinds_is_three_incidents_and_few_messages(
    told_env: dict[str, str], query: Query, slack_server: slack.Slack, make_server: make.Make
) -> None:
    with storm(told_env, 10_000) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "flushed True\n"
        assert within(20, lambda: len(make_server.deliveries) == KINDS)

    incidents = query("SELECT rule, state, severity, occurrences, message FROM otel_guard.incidents ORDER BY message")
    assert [(row["rule"], row["state"], row["severity"]) for row in incidents] == [
        ("critical_error", "firing", "critical")
    ] * KINDS
    assert len({row["message"].partition(":")[0] for row in incidents}) == KINDS
    (rows,) = query("SELECT sum(repeat_count)::int AS n FROM otel_guard.system_errors")
    assert rows["n"] == 10_000
    assert len(make_server.deliveries) == KINDS
    assert KINDS <= len(slack_server.messages) <= 2 * KINDS
    assert (slack_server.refused, {each.is_signed for each in make_server.deliveries}) == ([], {True})


def test_the_seed_thresholds_are_told_by_one_run_of_cron(
    told_env: dict[str, str], query: Query, slack_server: slack.Slack, make_server: make.Make, tmp_path: Path
) -> None:
    seed(query, errors=11, slow=6)

    done = subprocess.run(
        [script("otel-guard"), "monitor", "--once"],
        env=told_env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    told = {each.body["rule"]: each.body for each in make_server.deliveries}
    assert told.keys() == {"error_burst", "slow_queries"}
    assert (told["error_burst"]["type"], told["slow_queries"]["type"]) == (
        "high_error_rate",
        "performance_degradation",
    )
    assert told["error_burst"]["message"] == "11 errors in last 5 minutes"
    assert told["slow_queries"]["queries"] == [
        {
            "query": "SELECT * FROM orders WHERE id = ?",
            "duration": 1500.0,
            "table": "orders",
            "place": "shop/orders.py:12",
        }
    ]
    shown = "\n".join(message.shown for message in slack_server.messages)
    assert "error_burst" in shown or "error burst" in shown


def test_one_below_the_seed_thresholds_is_told_to_nobody(
    told_env: dict[str, str], query: Query, make_server: make.Make, tmp_path: Path
) -> None:
    seed(query, errors=10, slow=5)

    done = subprocess.run(
        [script("otel-guard"), "monitor", "--once"],
        env=told_env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, make_server.deliveries) == (0, [])
    assert "0 fired, 0 sent" in done.stdout


def test_the_daemon_tells_within_15_seconds(
    told_env: dict[str, str], query: Query, slack_server: slack.Slack, tmp_path: Path
) -> None:
    with monitor({**told_env, "OTEL_GUARD_MONITOR_PERIOD_S": "5"}, tmp_path):
        seed(query, errors=11, slow=0)

        assert within(15, lambda: bool(slack_server.messages))


def test_a_critical_error_is_told_though_postgres_is_away_and_written_down_later(
    told_env: dict[str, str], query: Query, postgres: Server, make_server: make.Make
) -> None:
    delivered = "SELECT id FROM otel_guard.incidents WHERE first_delivered_at IS NOT NULL"
    postgres.cluster.stop("fast")
    with storm(told_env, KINDS):
        try:
            was_told = within(60, lambda: len(make_server.deliveries) == KINDS)
        finally:
            postgres.cluster.start_again()
        assert was_told
        assert within(60, lambda: len(query(delivered)) == KINDS)

    late = query("SELECT id FROM otel_guard.incidents WHERE first_delivered_at > impact_started_at + interval '60 s'")
    assert late == []
    assert len(make_server.deliveries) == KINDS


def seed(query: Query, *, errors: int, slow: int) -> None:
    """Rows as any program may write them."""
    query(
        "INSERT INTO otel_guard.system_errors (error_type, message, context, severity, service, environment) "
        "SELECT 'OperationalError', 'boom', 'database', 'medium', 'web', 'production' FROM generate_series(1, %s)",
        errors,
    )
    query(
        "INSERT INTO otel_guard.system_metrics (type, value, duration_ms, query_text, table_name, service, environment, "
        "metadata) SELECT 'database_query', 1500, 1500, 'SELECT * FROM orders WHERE id = ?', 'orders', 'web', "
        """'production', '{"place": {"code.file.path": "shop/orders.py", "code.line.number": 12}}' """
        "FROM generate_series(1, %s)",
        slow,
    )
