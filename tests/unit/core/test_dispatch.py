from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from otel_guard.core.dispatch import MOST, Decision, Traffic, Waiting, backoff_s, decide, fold

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SLACK = Traffic(groups=True)
MAKE = Traffic(groups=False)


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def row(incident_id: str | None, kind: str = "fired", severity: str = "high", **fields: Any) -> Waiting:
    values: dict[str, Any] = {
        "key": f"{incident_id}:{kind}",
        "incident_id": incident_id,
        "kind": kind,
        "severity": severity,
        "next_attempt_at": NOON,
    }
    return Waiting(**(values | fields))


def keys(decision: Decision) -> list[str]:
    return [planned.key for planned in decision.send]


@pytest.mark.parametrize(
    ("told", "kinds", "event", "key"),
    [
        (None, ["fired"], "fired", "a:fired"),
        (None, ["fired", "resolved"], "fired", "a:resolved"),
        (None, ["fired", "raised", "escalated"], "fired", "a:escalated"),
        (None, ["raised"], "fired", "a:raised"),
        ("fired", ["resolved"], "resolved", "a:resolved"),
        ("raised", ["escalated", "resolved"], "resolved", "a:resolved"),
        ("fired", ["raised"], "raised", "a:raised"),
        ("fired", ["raised", "escalated"], "escalated", "a:escalated"),
        ("resolved", ["fired"], "fired", "a:fired"),
        ("resolved", ["fired", "resolved"], "fired", "a:resolved"),
    ],
)
def test_what_waits_of_an_incident_is_one_message(told: Any, kinds: list[str], event: str, key: str) -> None:
    messages, superseded = fold([row("a", kind, told=told) for kind in kinds])

    assert [(message.event, message.key) for message in messages] == [(event, key)]
    assert superseded == tuple(f"a:{kind}" for kind in kinds if f"a:{kind}" != key)


def test_an_end_and_a_new_beginning_that_nobody_heard_of_say_nothing() -> None:
    assert fold([row("a", "resolved", told="fired"), row("a", told="fired")]) == ([], ("a:resolved", "a:fired"))


def test_what_is_in_flight_is_waited_for() -> None:
    assert fold([row("a", is_in_flight=True), row("a", "resolved")]) == ([], ())


def test_a_webhook_gets_each_by_itself_in_order() -> None:
    assert keys(decide([row("a"), row("b", severity="critical")], MAKE, NOON)) == ["a:fired"]


def test_after_quiet_the_first_goes_at_once() -> None:
    assert keys(decide([row("a")], Traffic(groups=True, last_sent_at=later(-30)), NOON)) == ["a:fired"]


def test_more_within_30_s_wait_for_their_end_and_go_as_one() -> None:
    traffic = Traffic(groups=True, last_sent_at=later(-29))
    rows = [row("a"), row("b")]

    assert decide(rows, traffic, NOON).send == ()
    assert decide(rows, traffic, NOON).wait_s == 1.0
    assert keys(decide(rows, traffic, later(1))) == ["a:fired", "b:fired"]


def test_a_critical_message_is_not_held_by_the_group() -> None:
    traffic = Traffic(groups=True, last_sent_at=later(-1))

    assert keys(decide([row("a"), row("b", severity="critical"), row("c")], traffic, NOON)) == ["b:fired"]


def test_a_group_ends_before_a_critical_message() -> None:
    rows = [row("a"), row("b"), row("c", severity="critical"), row("d")]

    assert keys(decide(rows, SLACK, NOON)) == ["a:fired", "b:fired"]
    assert keys(decide(rows[2:], SLACK, NOON)) == ["c:fired"]


def test_the_fast_path_takes_its_own_first() -> None:
    rows = [row("a", severity="critical"), row("b", severity="critical")]

    assert keys(decide(rows, SLACK, NOON, first="b")) == ["b:fired"]


def test_a_pause_that_the_server_asked_for_holds_all() -> None:
    traffic = Traffic(groups=False, blocked_until=later(90))
    decision = decide([row("a", severity="critical")], traffic, NOON, first="a")

    assert (decision.send, decision.wait_s) == ((), 90.0)


def test_the_head_of_the_queue_waits_for_its_next_attempt_and_all_behind_it() -> None:
    decision = decide([row("a", next_attempt_at=later(40)), row("b")], MAKE, NOON)

    assert (decision.send, decision.wait_s) == ((), 40.0)


def test_a_new_critical_message_is_a_reason_to_try_again_in_order() -> None:
    rows = [row("a", next_attempt_at=later(40)), row("b", severity="critical")]

    assert keys(decide(rows, MAKE, NOON)) == ["a:fired"]


def test_one_message_is_in_flight_but_for_a_critical_one() -> None:
    busy = row("a", is_in_flight=True)

    assert decide([busy, row("b")], MAKE, NOON).send == ()
    assert keys(decide([busy, row("b"), row("c", severity="critical")], MAKE, NOON)) == ["c:fired"]


def test_the_21st_message_is_held_and_that_is_said_once() -> None:
    full = Traffic(groups=False, sent=MOST, frees_at=later(100))
    rows = [row("a", severity="critical"), row("b")]
    said = row(None, "held")

    first = decide(rows, full, NOON)
    assert (first.send, first.held, first.announced) == ((), 2, "b:fired")
    assert keys(decide([*rows, said], full, NOON)) == ["None:held"]
    after = decide(rows, Traffic(groups=False, sent=MOST, frees_at=later(100), is_announced=True), NOON)
    assert (after.send, after.held, after.announced, after.wait_s) == ((), 2, "", 100.0)


def test_what_was_held_is_sent_when_there_is_room() -> None:
    decision = decide([row("a"), row(None, "held")], Traffic(groups=False, sent=MOST - 1), NOON)

    assert keys(decision) == ["a:fired"]
    assert decision.superseded == ("None:held",)


def test_an_empty_queue_waits() -> None:
    assert decide([], SLACK, NOON) == Decision()


@pytest.mark.parametrize(("failures", "seconds"), [(0, 5), (1, 10), (6, 320), (7, 600), (50, 600)])
def test_back_off_doubles_up_to_10_min(failures: int, seconds: float) -> None:
    assert backoff_s(failures, 0.0) == seconds
    assert seconds <= backoff_s(failures, 1.0) <= min(seconds * 1.25, 600)
