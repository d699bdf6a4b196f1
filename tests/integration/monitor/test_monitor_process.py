"""The monitor as people run it: whole processes."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from otel_guard.core import codec
from otel_guard.core.record import ErrorRecord, Head
from otel_guard.demo.processes import Child, environment, script
from otel_guard.demo.standins import slack
from otel_guard.demo.standins._http import Request, Response, serve
from otel_guard.journal.place import folder_name, prepare
from otel_guard.journal.writer import Writer
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.ids import uuid7
from otel_guard.store.dsn import target
from tests.conftest import Server

Query = Callable[..., list[dict[str, Any]]]
LEADS = "this monitor leads"
TTL_S = 30.0
TRY_S = 5.0
BURST = (
    "INSERT INTO otel_guard.system_errors (error_type, message, context, severity, service, environment) "
    "SELECT 'E', 'boom', 'other', 'medium', 'web', 'production' FROM generate_series(1, 11)"
)


@pytest.fixture
def ops() -> Iterator[slack.Slack]:
    server = slack.start()
    yield server
    server.stop()


@pytest.fixture
def env(dsn: str, tmp_path: Path, ops: slack.Slack) -> dict[str, str]:
    return environment(
        {
            "OTEL_GUARD_DSN": dsn,
            "OTEL_GUARD_JOURNAL_DIR": str(tmp_path / "journal"),
            "OTEL_GUARD_MONITOR_PERIOD_S": "1",
            "SLACK_WEBHOOK_URL": ops.url,
        }
    )


@pytest.fixture
def daemon(env: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Child]]:
    """Start monitors; each has a log of its own."""
    children: list[Child] = []

    def start(*options: str) -> Child:
        command = [script("otel-guard"), "monitor", *options]
        log = tmp_path / f"monitor-{len(children)}.log"
        children.append(Child(command, env=env, cwd=tmp_path, log=log))
        return children[-1]

    yield start
    for child in children:
        child.stop()


def once(env: dict[str, str], folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [script("otel-guard"), "monitor", "--once", *options],
        env=env, cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def said(child: Child) -> str:
    return child.log_path.read_text()


def within(seconds: float, condition: Callable[[], object]) -> bool:
    until = SYSTEM.monotonic() + seconds
    while not condition():
        if SYSTEM.monotonic() > until:
            return False
        SYSTEM.sleep(0.1)
    return True


def holder(query: Query) -> str:
    rows = query("SELECT holder FROM otel_guard.leases WHERE name = 'monitor' AND expires_at > now()")
    return str(rows[0]["holder"]) if rows else ""


def test_a_killed_leader_is_followed_within_its_lease_and_one_that_ends_at_once(
    daemon: Callable[..., Child], query: Query
) -> None:
    first = daemon()
    assert within(20, lambda: LEADS in said(first))
    second = daemon()
    assert within(20, lambda: "another monitor leads; this one waits" in said(second))
    os.kill(first.pid, signal.SIGKILL)

    assert within(TTL_S + TRY_S + 3, lambda: LEADS in said(second))
    third = daemon()
    assert within(20, lambda: "another monitor leads; this one waits" in said(third))
    second.stop()
    assert within(TRY_S + 3, lambda: LEADS in said(third))
    assert f":{third.pid}:" in holder(query)
    assert said(second).endswith("otel-guard: ended\n")
    third.stop()
    assert holder(query) == ""


def test_the_daemon_reads_the_file_again_and_says_only_what_changed(
    daemon: Callable[..., Child], query: Query, tmp_path: Path
) -> None:
    child = daemon()
    assert within(20, lambda: query("SELECT 1 FROM otel_guard.heartbeats WHERE kind = 'monitor'"))
    (tmp_path / "otel_guard.toml").write_text('[rule.stock]\nsource = "sql"\nquery = "select 7"\nabove = 0\n')

    assert within(20, lambda: query("SELECT 1 FROM otel_guard.incidents WHERE rule = 'stock' AND state = 'firing'"))
    (tmp_path / "otel_guard.toml").write_text("[rule.stock\n")
    assert within(20, lambda: query("SELECT 1 FROM otel_guard.incidents WHERE rule = 'rules_invalid'"))
    child.stop()
    lines = said(child)
    assert lines.count("has changed: it is read again") == 2
    assert " 1 fired, " in lines
    assert " 0 fired, 0 sent" not in lines
    assert query("SELECT state FROM otel_guard.incidents WHERE rule = 'stock'") == [{"state": "firing"}]


def test_postgres_away_is_told_directly_once_and_written_down_when_it_is_back(
    daemon: Callable[..., Child], postgres: Server, query: Query, ops: slack.Slack
) -> None:
    child = daemon()
    assert within(20, lambda: LEADS in said(child))
    postgres.cluster.stop("fast")
    began = SYSTEM.monotonic()
    try:
        assert within(60, lambda: ops.messages)
        # Longer than the next tries; each would be a message.
        assert not within(2 * TRY_S, lambda: len(ops.messages) > 1)
    finally:
        postgres.cluster.start_again()

    assert within(30, lambda: query("SELECT 1 FROM otel_guard.incidents WHERE state = 'resolved'"))
    (incident,) = query("SELECT *, extract(EPOCH FROM now() - impact_started_at) AS ago FROM otel_guard.incidents")
    assert (incident["type"], incident["severity"]) == ("postgres_away", "critical")
    assert abs(float(incident["ago"]) - (SYSTEM.monotonic() - began)) < 15
    assert 0 <= (incident["first_delivered_at"] - incident["impact_started_at"]).total_seconds() < 60
    assert within(20, lambda: len(ops.messages) == 2)
    assert ["FIRING" in ops.messages[0].text, "RESOLVED" in ops.messages[1].text.upper()] == [True, True]
    assert said(child).count("no rule is judged until then") == 1
    assert ops.url not in said(child)


def test_once_without_postgres_tells_directly_exits_69_and_the_next_run_writes_it_down(
    env: dict[str, str], postgres: Server, query: Query, ops: slack.Slack, tmp_path: Path
) -> None:
    postgres.cluster.stop("fast")
    try:
        away = [once(env, tmp_path) for _ in range(2)]
    finally:
        postgres.cluster.start_again()
    told = len(ops.messages)
    back = once(env, tmp_path)

    assert ([run.returncode for run in away], told) == ([69, 69], 1)
    assert back.returncode == 0, back.stderr
    (incident,) = query("SELECT type, state, first_delivered_at - impact_started_at AS took FROM otel_guard.incidents")
    assert (incident["type"], incident["state"]) == ("postgres_away", "resolved")
    assert 0 <= incident["took"].total_seconds() < 60
    assert [message.text[:7].upper() for message in ops.messages] == ["[FIRING", "[RESOLV"]


def test_once_prints_a_line_sends_pings_and_gives_the_lease_back(
    env: dict[str, str], query: Query, ops: slack.Slack, tmp_path: Path
) -> None:
    query(BURST)
    pinged: list[str] = []

    def answer(request: Request) -> Response:
        pinged.append(request.path)
        return Response(200, b"", {})

    outside = serve(answer)
    try:
        ran = once({**env, "OTEL_GUARD_DEADMAN_URL": f"{outside.url}/secret-id"}, tmp_path)
    finally:
        outside.stop()

    assert (ran.returncode, ran.stderr) == (0, "")
    rules, fired, sent, seconds = ran.stdout.strip().split(", ")
    assert (rules.endswith(" rules"), fired, sent) == (True, "1 fired", "1 sent")
    assert float(seconds.removesuffix(" s")) < 10
    assert (len(ops.messages), pinged, holder(query)) == (1, ["/secret-id"], "")


def test_once_as_json_delivers_leftovers_first(env: dict[str, str], query: Query, dsn: str, tmp_path: Path) -> None:
    leave_a_journal(tmp_path / "journal", dsn)
    ran = once(env, tmp_path, "--json")

    assert ran.returncode == 0, ran.stderr
    body = json.loads(ran.stdout)
    assert body.pop("seconds") < 10
    assert body.pop("leader")
    assert body.pop("rules") > 20
    assert body == {"schema": "otel_guard.monitor.v1", "fired": 0, "resolved": 0, "sent": 0, "failed": 0}
    assert query("SELECT message FROM otel_guard.system_errors") == [{"message": "left behind"}]


def test_where_another_leads_once_says_so_and_is_fine(env: dict[str, str], query: Query, tmp_path: Path) -> None:
    query("INSERT INTO otel_guard.leases VALUES ('monitor', 'web2:9', now() + interval '1 hour')")
    ran, as_json = once(env, tmp_path), once(env, tmp_path, "--json")

    assert (ran.returncode, ran.stdout) == (0, "another monitor leads: web2:9\n")
    assert (as_json.returncode, json.loads(as_json.stdout)["leader"]) == (0, "web2:9")
    assert query("SELECT * FROM otel_guard.heartbeats") == []


def test_once_ended_by_a_signal_gives_the_lease_back(
    env: dict[str, str], query: Query, dsn: str, tmp_path: Path
) -> None:
    with psycopg.connect(dsn) as database:
        # Every follow waits, so the run is caught amid its cycle.
        database.execute("LOCK TABLE otel_guard.incidents IN ACCESS EXCLUSIVE MODE")
        process = subprocess.Popen([script("otel-guard"), "monitor", "--once"], env=env, cwd=tmp_path)
        assert within(20, lambda: holder(query))
        process.terminate()
        code = process.wait(20)

    assert (code, holder(query)) == (128 + signal.SIGTERM, "")


def test_json_is_for_one_cycle(env: dict[str, str], tmp_path: Path) -> None:
    ran = subprocess.run(
        [script("otel-guard"), "monitor", "--json"],
        env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert (ran.returncode, "--once --json" in ran.stdout) == (2, True)


def leave_a_journal(base: Path, dsn: str) -> None:
    """As a process does that was killed."""
    folder = base / folder_name("shop", target(dsn))
    prepare(folder)
    record = ErrorRecord(
        id=uuid7(SYSTEM.now_ms()), seq=1, error_type="E", message="left behind", context="api", severity="medium",
        fingerprint="f" * 16, title="E: left behind", parts=("E",), metadata={},
    )  # fmt: skip
    head = Head(version=1, writer_id=record.id, number=1, service="shop", environment="test", release=None, host="web1")
    writer = Writer(folder, head)
    writer.append(codec.KINDS[type(record)], codec.encode(record))
    writer.close()
