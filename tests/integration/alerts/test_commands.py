"""What people do to incidents from a terminal, on a real Postgres."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from otel_guard.alerts.incidents import Incidents, Policy
from otel_guard.cli import execute
from otel_guard.cli.incident import since
from otel_guard.core.incident import Opening
from otel_guard.demo.standins import slack
from otel_guard.runtime.clock import SYSTEM
from otel_guard.store.lane import Lane

Cli = Callable[..., str]
Query = Callable[..., list[dict[str, Any]]]
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class Ops:
    """Opens incidents, and runs commands."""

    def __init__(self, dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.lane = Lane(dsn, SYSTEM)
        self._incidents = Incidents(Policy(channels=(), escalation={}), SYSTEM)
        self._capsys = capsys

    def open(self, rule: str = "error_burst", **fields: Any) -> str:
        values: dict[str, Any] = {
            "type": "high_error_rate",
            "rule": rule,
            "dedup_key": f"{rule}:production:web",
            "severity": "high",
            "message": "37 errors in last 5 minutes",
            "service": "web",
            "environment": "production",
            "value": 37.0,
            "threshold": 10.0,
        }
        with self.lane.transaction() as database:
            return self._incidents.open(database, Opening(**(values | fields))).id

    def cli(self, *arguments: str, code: int = 0) -> str:
        assert execute(arguments) == code
        return self._capsys.readouterr().out

    def said(self, *arguments: str, code: int) -> str:
        assert execute(arguments) == code
        return self._capsys.readouterr().err

    def state(self, given_id: str) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.cli("alerts", given_id, "--json"))
        return body


@pytest.fixture
def ops(dsn: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Ops]:
    for name, value in {"OTEL_GUARD_DSN": dsn, "COLUMNS": "80", "USER": "ana"}.items():
        monkeypatch.setenv(name, value)
    for name in ("SLACK_WEBHOOK_URL", "MAKE_WEBHOOK_URL", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    made = Ops(dsn, capsys)
    yield made
    made.lane.close()


def test_alerts_are_a_line_each_the_worst_first(ops: Ops) -> None:
    high = ops.open()
    worst = ops.open("critical_error", severity="critical", value=None, threshold=None)
    silent = ops.open("no_payment", severity="medium", value=0.0, threshold=1.0, service=None)

    lines = ops.cli("alerts").splitlines()
    assert [line.split()[:4] for line in lines[1:4]] == [
        [worst[-6:], "critical", "critical_error", "web"],
        [high[-6:], "high", "error_burst", "web"],
        [silent[-6:], "medium", "no_payment", "0<1"],
    ]
    assert lines[2].split()[4:] == ["37>10", "0s", "firing"] or lines[2].split()[5].endswith("s")
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(("width", "is_told"), [(80, False), (140, True)])
def test_a_wide_terminal_shows_the_message_too(
    ops: Ops, monkeypatch: pytest.MonkeyPatch, width: int, *, is_told: bool
) -> None:
    ops.open()
    monkeypatch.setenv("COLUMNS", str(width))

    text = ops.cli("alerts")
    assert ("37 errors in last 5 minutes" in text) is is_told
    assert max(map(len, text.splitlines())) <= width


def test_what_is_over_is_shown_when_asked_for(ops: Ops) -> None:
    assert ops.cli("alerts") == "no open incident\n"
    assert ops.cli("alerts", "--all") == "no incident\n"
    over = ops.open()
    ops.cli("resolve", over)

    assert ops.cli("alerts") == "no open incident\n"
    assert over[-6:] in ops.cli("alerts", "--all")
    assert [row["state"] for row in json.loads(ops.cli("alerts", "--all", "--json"))["incidents"]] == ["resolved"]


def test_json_has_the_columns(ops: Ops) -> None:
    given = ops.open()
    body = json.loads(ops.cli("alerts", "--json"))

    (row,) = body["incidents"]
    assert body["schema"] == "otel_guard.alerts.v1"
    assert (row["id"], row["dedup_key"], row["queries"], row["labels"]) == (given, "error_burst:production:web", [], {})
    assert datetime.fromisoformat(row["fired_at"]).tzinfo is not None


@pytest.mark.parametrize("width", [80, 140])
def test_one_is_shown_in_full(ops: Ops, query: Query, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    given = ops.open(queries=({"query": "SELECT 1", "duration": 1200.0, "table": "t", "place": "a.py:3"},))
    ops.cli("ack", given[-6:])
    ops.cli("note", given[-6:], "the", "new index was missing")
    query(
        "INSERT INTO otel_guard.alert_outbox (key, incident_id, channel, kind, payload, state, attempts, last_status, sent_at)"
        " VALUES (%s, %s, 'slack', 'fired', '{}', 'sent', 2, 200, now())",
        f"{given}:fired:1:slack",
        given,
    )
    monkeypatch.setenv("COLUMNS", str(width))
    text = ops.cli("alerts", given[-6:])

    shown = (
        "37 errors in last 5 minutes", "acknowledged", "error_burst · 37>10", "web · production", "0 s ago · ana", given,
        "the new index was missing", "1200 ms  t  a.py:3  SELECT 1", "fired", "by ana", "slack  fired  sent", "2 tries · 200",
        f"otel-guard resolve {given[-6:]}",
    )  # fmt: skip
    assert [part for part in shown if part not in text] == []
    assert max(map(len, text.splitlines())) <= width
    body = ops.state(given)
    assert [event["kind"] for event in body["events"]] == ["fired", "acknowledged", "noted"]
    assert [(each["channel"], each["state"]) for each in body["deliveries"]] == [("slack", "sent")]


def test_an_acknowledgement_says_by_whom(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    given = ops.open()
    short = given[-6:]

    assert ops.cli("ack", short) == f"{short} acknowledged by ana\n"
    assert ops.cli("ack", short, "--by", "bob").startswith(f"{short} acknowledged by ana, ")
    other = ops.open("slow_queries")
    monkeypatch.delenv("USER")
    assert ops.cli("ack", other) == f"{other[-6:]} acknowledged by cli\n"
    assert json.loads(ops.cli("ack", other, "--json"))["incident"]["acknowledged_by"] == "cli"


def test_what_is_over_cannot_be_acknowledged(ops: Ops) -> None:
    given = ops.open()
    ops.cli("resolve", given)

    assert f"{given[-6:]} is over since " in ops.said("ack", given, code=1)


def test_a_resolution_is_said(ops: Ops) -> None:
    given = ops.open()
    short = given[-6:]

    assert ops.cli("resolve", short, "--as", "false_positive") == f"{short} resolved by ana as false positive\n"
    assert ops.state(given)["incident"]["resolution"] == "false_positive"
    assert ops.cli("resolve", short).startswith(f"{short} was resolved ")
    assert ops.state(given)["incident"]["resolution"] == "false_positive"
    assert "write one of fixed, false_positive" in ops.said("resolve", short, "--as", "gone", code=2)


def test_notes_are_added_also_afterwards(ops: Ops) -> None:
    given = ops.open()
    ops.cli("note", given, "one")
    ops.cli("resolve", given)

    assert ops.cli("note", given, "two") == f"{given[-6:]} noted by ana\n"
    assert ops.state(given)["incident"]["note"] == "one\ntwo"
    assert "is empty" in ops.said("note", given, " ", code=2)


@pytest.mark.parametrize("command", ["ack", "resolve", "note", "alerts"])
def test_an_unknown_id_is_exit_1_and_an_ambiguous_one_lists_them(ops: Ops, query: Query, command: str) -> None:
    first, second = ops.open(), ops.open("slow_queries")
    alike = [f"{each[:-4]}beef" for each in (first, second)]
    for was, is_now in zip((first, second), alike, strict=True):
        query("UPDATE otel_guard.incidents SET id = %s WHERE id = %s", is_now, was)
    text = ["why"] if command == "note" else []

    assert "see `otel-guard alerts --all`" in ops.said(command, "ffffff", *text, code=1)
    assert "see `otel-guard alerts --all`" in ops.said(command, "nope", *text, code=1)
    said = ops.said(command, "beef", *text, code=2)
    assert [each for each in alike if each not in said] == []
    assert json.loads(ops.cli(command, "beef", *text, "--json", code=2))["do"] == "give more of its id"
    assert ops.cli(command, alike[0], *text) != ""


def test_a_silence_holds_until_its_end(ops: Ops) -> None:
    line = ops.cli("silence", "rule=error_burst", "service=web", "--for", "2h", "--comment", "new version")
    (row,) = json.loads(ops.cli("silence", "--list", "--json"))["silences"]

    until = datetime.fromisoformat(row["ends_at"])
    assert timedelta(minutes=119) < until - datetime.fromtimestamp(SYSTEM.now_ms() / 1000, UTC) <= timedelta(hours=2)
    assert line.startswith(f"{row['id'][-6:]} until ")
    assert f"{until:%H:%M}" in line
    assert (row["matchers"], row["author"], row["comment"]) == (
        {"rule": "error_burst", "service": "web"},
        "ana",
        "new version",
    )
    assert "rule=error_burst service=web" in ops.cli("silence", "--list")
    assert ops.cli("silence", "--end", row["id"][-6:]) == f"{row['id'][-6:]} ended\n"
    assert ops.cli("silence", "--list") == "nothing is silenced\n"
    assert "no silence" in ops.said("silence", "--end", row["id"], code=1)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((), "as K=V"),
        (("rule",), "as K=V"),
        (("rule=", "--for", "2h", "--comment", "c"), "as K=V"),
        (("rule=x", "--comment", "c"), "has an end"),
        (("rule=x", "--for", "31d", "--comment", "c"), "within 30 d"),
        (("rule=x", "--for", "0h", "--comment", "c"), "within 30 d"),
        (("rule=x", "--for", "soon", "--comment", "c"), "no span of time"),
        (("rule=x", "--for", "2h"), "says why"),
        (("rule=x", "--list"), "stand alone"),
    ],
)
def test_a_silence_that_cannot_be_is_exit_2(ops: Ops, arguments: tuple[str, ...], word: str) -> None:
    assert word in ops.said("silence", *arguments, code=2)


def test_an_incident_opened_by_hand_alerts_at_once(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    found = slack.start()
    try:
        monkeypatch.setenv("SLACK_WEBHOOK_URL", found.url)
        line = ops.cli("incident", "open", "checkout", "is slow", "--service", "web", "--severity", "critical")
    finally:
        found.stop()
    body = ops.state(line.split()[0])

    assert line.endswith(" open\n")
    assert [message.text for message in found.messages] == [found.messages[0].text]
    assert "checkout is slow" in found.messages[0].text
    incident = body["incident"]
    assert (incident["type"], incident["rule"], incident["service"]) == ("manual", None, "web")
    assert (incident["severity"], incident["state"], incident["message"]) == ("critical", "firing", "checkout is slow")
    assert ("opened", "ana") in [(event["kind"], event["actor"]) for event in body["events"]]
    assert incident["first_delivered_at"] is not None


def test_an_incident_may_have_begun_before(ops: Ops) -> None:
    began = datetime.fromtimestamp(SYSTEM.now_ms() / 1000, UTC) - timedelta(minutes=40)
    line = ops.cli("incident", "open", "mails are late", "--started", f"{began:%Y-%m-%dT%H:%M}", "--json")
    incident = json.loads(line)["incident"]

    assert datetime.fromisoformat(incident["impact_started_at"]) == began.replace(second=0, microsecond=0)
    assert incident["severity"] == "high"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("11:10", datetime(2026, 11, 24, 11, 10, tzinfo=UTC)),
        ("20:10", datetime(2026, 11, 23, 20, 10, tzinfo=UTC)),
        ("2026-11-20T20:10", datetime(2026, 11, 20, 20, 10, tzinfo=UTC)),
        ("2026-11-24T12:30+01:00", datetime(2026, 11, 24, 11, 30, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_date_is_the_last_one(text: str, moment: datetime) -> None:
    assert since(text, NOON) == moment


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("close", "x"), "write otel-guard incident open"),
        (("open", " "), "write otel-guard incident open"),
        (("open", "x", "--severity", "bad"), "write one of low"),
        (("open", "x", "--started", "noon"), "is no time"),
        (("open", "x", "--started", "2126-01-01T00:00"), "is to come"),
    ],
)
def test_an_incident_that_cannot_be_is_exit_2(ops: Ops, arguments: tuple[str, ...], word: str) -> None:
    assert word in ops.said("incident", *arguments, code=2)


@pytest.mark.parametrize("command", [("alerts",), ("ack", "x"), ("silence", "--list"), ("incident", "open", "x")])
def test_without_postgres_the_exit_code_says_why(
    ops: Ops, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("OTEL_GUARD_DSN", "postgresql://u@127.0.0.1:1/x")
    assert "start Postgres" in ops.said(*command, code=69)
    monkeypatch.delenv("OTEL_GUARD_DSN")
    assert "OTEL_GUARD_DSN is not set" in ops.said(*command, code=2)
