"""The state that follows from a value, without a database."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from otel_guard.core.rule import Finding, Hours, Moment, Rule
from otel_guard.core.rules_builtin import RULES
from otel_guard.monitor.judges._base import Ask, Reading, last, place, span, state_of, times, took, within
from otel_guard.monitor.judges._where import names, types
from otel_guard.monitor.judging import judge

NOON = datetime(2025, 3, 3, 12, 0, tzinfo=UTC)
MOMENT = Moment(now=NOON, gap_s=15, period_s=15, watched_since=NOON - timedelta(hours=2))
BUILTIN = {rule.name: rule for rule in RULES}


def rule(**fields: Any) -> Rule:
    return Rule(name="mine", kind="custom", type="mine", severity="low", **fields)


def answering(**answers: list[dict[str, Any]]) -> Ask:
    return lambda name, _parameters: answers.get(name, [])


@pytest.mark.parametrize(
    ("given", "reading", "state"),
    [
        (rule(above=10, clear=5), Reading(value=11), "bad"),
        (rule(above=10, clear=5), Reading(value=10), "still"),
        (rule(above=10, clear=5), Reading(value=5), "clear"),
        (rule(above=10, clear=5), Reading(value=11, goes_on=False), "still"),
        (rule(above=10, clear=5), Reading(value=5, must_end=True), "still"),
        (rule(above=10, clear=5), Reading(value=5, must_end=True, goes_on=False), "clear"),
        (rule(above=10), Reading(value=11, goes_on=False), "clear"),
        (rule(above=10), Reading(value=1), "still"),
        (rule(above=10, clear=5, least=20), Reading(value=11, samples=19), "still"),
        (rule(above=10, clear=5, least=20), Reading(value=11, samples=20), "bad"),
        (rule(below=3), Reading(value=2), "bad"),
        (rule(below=3), Reading(value=3), "clear"),
        (rule(below=3, clear=5), Reading(value=4), "still"),
    ],
)
def test_the_state_of_a_value(given: Rule, reading: Reading, state: str) -> None:
    assert state_of(given, MOMENT, reading) == state


@pytest.mark.parametrize(("window_s", "state"), [(7200, "bad"), (7201, "still")])
def test_an_absence_needs_a_window_that_was_watched(window_s: float, state: str) -> None:
    assert state_of(rule(below=1, window_s=window_s), MOMENT, Reading(value=0, is_absence=True)) == state


@pytest.mark.parametrize(
    ("start", "end", "now", "window_s", "is_inside"),
    [
        ("08:00", "22:00", "12:00", 0, True),
        ("08:00", "22:00", "07:59", 0, False),
        ("08:00", "22:00", "22:00", 0, False),
        ("08:00", "22:00", "09:59", 7200, False),
        ("08:00", "22:00", "10:00", 7200, True),
        ("22:00", "06:00", "23:30", 3600, True),
        ("22:00", "06:00", "00:30", 7200, True),
        ("22:00", "06:00", "12:00", 0, False),
        ("08:00", "22:00", "12:00", 86_400, True),  # no window so long fits: now decides
        ("00:00", "24:00", "03:00", 3600, True),
    ],
)
def test_hours_hold_a_window(start: str, end: str, now: str, window_s: float, *, is_inside: bool) -> None:
    hour, minute = map(int, now.split(":"))
    minutes = [int(text[:2]) * 60 + int(text[3:]) for text in (start, end)]

    found = within(Hours(*minutes), datetime(2025, 3, 3, hour, minute, tzinfo=UTC), window_s, UTC)

    assert found is is_inside


def test_hours_are_those_of_the_zone() -> None:
    hours = Hours(8 * 60, 9 * 60)

    assert within(hours, datetime(2025, 7, 1, 6, 30, tzinfo=UTC), 0, ZoneInfo("Europe/Berlin"))
    assert not within(hours, datetime(2025, 7, 1, 6, 30, tzinfo=UTC), 0, timezone(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("gap_s", "recent_s", "reach_s"), [(15, 60, 0), (45, 60, 45), (600, 600, 600), (86_400, 86_400, 3600)]
)
def test_the_last_moments_are_never_shorter_than_the_gap(gap_s: float, recent_s: float, reach_s: float) -> None:
    moment = Moment(now=NOON, gap_s=gap_s, period_s=15)

    found = times(BUILTIN["error_burst"], moment)

    assert found == {
        "since": NOON - timedelta(seconds=300),
        "until": NOON,
        "recent": NOON - timedelta(seconds=recent_s),
        "reach": NOON - timedelta(seconds=reach_s),
    }


@pytest.mark.parametrize("gap_s", [float("inf"), 1e12])
def test_an_endless_gap_has_an_end(gap_s: float) -> None:
    found = times(BUILTIN["error_burst"], Moment(now=NOON, gap_s=gap_s, period_s=15))

    assert found["recent"] == NOON - timedelta(days=30)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (300, "last 5 minutes"), (60, "last minute"), (90, "last 90 seconds"), (3600, "last hour"),
        (7200, "last 2 hours"), (5400, "last 90 minutes"), (86_400, "last 24 hours"), (604_800, "last 7 days"),
    ],
)  # fmt: skip
def test_a_window_in_words(seconds: float, words: str) -> None:
    assert last(seconds) == words


def test_times_in_words() -> None:
    assert [took(ms) for ms in (0, 812.4, 6204, 119_000, 420_000)] == ["0 ms", "812 ms", "6.2 s", "119 s", "7 min"]
    assert [span(s) for s in (45, 119, 120, 7199, 18_000, 200_000)] == [
        "45 s",
        "119 s",
        "2 min",
        "120 min",
        "5 h",
        "2 d",
    ]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"code.file.path": "shop/orders.py", "code.line.number": 88}, "shop/orders.py:88"),
        ({"code.file.path": "shop/orders.py"}, "shop/orders.py"),
        ({}, None),
        (None, None),
        ("shop", None),
    ],
)
def test_a_place_in_words(given: object, text: str | None) -> None:
    assert place(given) == text


def test_what_a_rule_looks_at() -> None:
    assert names(rule(where={"route": "/pay"})) == ["http.server.request.duration"]
    assert names(rule(where={"route": "/pay", "context": "database"})) is None
    assert names(rule(where={"name": "x"})) == ["x"]
    assert types({"context": "ai"}) == ["ai_call"]
    assert types({"type": "n_plus_one"}) == ["n_plus_one"]
    assert "database_query" in types({})
    assert "database_call" not in types({})


def pressure(**row: Any) -> Finding:
    known = {"database": "shop", "application_name": None}
    (found,) = judge(BUILTIN["database_pressure"], answering(judge_pressure_replication=[known | row]), MOMENT)
    return found


@pytest.mark.parametrize(("lag_s", "state"), [(60, "clear"), (60.1, "bad")])
def test_a_replica_may_lag_a_minute(lag_s: float, state: str) -> None:
    found = pressure(kind="replication_lag", value=lag_s, application_name="standby")

    assert (found.state, found.severity) == (state, "medium")
    assert found.message == "a replica lags 60 s behind (standby)"


@pytest.mark.parametrize(("share", "state"), [(0.75, "clear"), (0.76, "bad")])
def test_transaction_ids_are_critical(share: float, state: str) -> None:
    found = pressure(kind="transaction_ids", value=share)

    assert (found.state, found.severity, found.value) == (state, "critical", share)
    assert found.message == f"{share * 100:.0f} % of the transaction ids are used up in shop: let vacuum run"


def test_an_inspection_without_a_value_finds_nothing() -> None:
    rows = [{"kind": "replication_lag", "value": None, "database": "shop"}]

    assert judge(BUILTIN["database_pressure"], answering(judge_pressure_replication=rows), MOMENT) == []


def test_each_minute_since_the_last_cycle_is_looked_at_again() -> None:
    asked: list[datetime] = []

    def ask(name: str, parameters: Any) -> list[dict[str, Any]]:
        assert name == "judge_calls"
        asked.append(parameters["until"])
        return []

    judge(BUILTIN["error_rate"], ask, MOMENT)
    assert asked == [NOON]

    asked.clear()
    judge(BUILTIN["error_rate"], ask, Moment(now=NOON, gap_s=240, period_s=240))

    assert asked == [NOON - timedelta(minutes=minutes) for minutes in range(4)]
