from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from otel_guard.core.incident import Incident
from otel_guard.core.rule import Finding, Rule
from otel_guard.core.transition import Move, Standing, next_move, opening, worst

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
RULE = Rule(name="burst", kind="burst", type="high_error_rate", severity="high", for_s=60, clear_s=300)


def ago(seconds: float) -> datetime:
    return NOON - timedelta(seconds=seconds)


def standing(
    state: str, *, still_at: datetime | None = None, ended_at: datetime | None = None, **fields: Any
) -> Standing:
    values: dict[str, Any] = {"id": "1", "type": "t", "rule": "burst", "dedup_key": "burst::", "severity": "high"}
    incident = Incident(state=state, **(values | fields))  # type: ignore[arg-type]
    return Standing(incident=incident, still_at=still_at, ended_at=ended_at)


def found(state: str, severity: str = "high") -> Finding:
    return Finding(rule="burst", state=state, severity=severity)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "finding", "move"),
    [
        (None, found("bad"), "open"),
        (None, found("still"), "none"),
        (None, found("clear"), "none"),
        (None, None, "none"),
        (standing("pending", pending_at=ago(59)), found("bad"), "keep"),
        (standing("pending", pending_at=ago(60)), found("bad"), "fire"),
        (standing("pending", pending_at=ago(60)), found("still"), "delete"),
        (standing("pending", pending_at=ago(60)), found("clear"), "delete"),
        (standing("pending", pending_at=ago(60)), None, "delete"),
        (standing("firing", last_true_at=ago(15)), found("bad"), "keep"),
        (standing("firing", last_true_at=ago(15)), found("bad", "critical"), "raise"),
        (standing("firing", last_true_at=ago(15)), found("bad", "low"), "keep"),
        (standing("firing", last_true_at=ago(900)), found("still"), "still"),
        (standing("firing", last_true_at=ago(299)), found("clear"), "none"),
        (standing("firing", last_true_at=ago(300)), found("clear"), "resolve"),
        (standing("firing", last_true_at=ago(300)), None, "resolve"),
        (standing("firing", last_true_at=ago(900), still_at=ago(299)), None, "none"),
        (standing("firing", last_true_at=ago(900), still_at=ago(300)), None, "resolve"),
        (standing("acknowledged", last_true_at=ago(15)), found("bad"), "keep"),
        (standing("acknowledged", last_true_at=ago(15)), found("bad", "critical"), "raise"),
        (standing("acknowledged", last_true_at=ago(300)), found("clear"), "resolve"),
        (standing("acknowledged", last_true_at=ago(299)), found("clear"), "none"),
        (standing("acknowledged"), found("still"), "still"),
        (standing("resolved", ended_at=ago(600)), found("bad"), "reopen"),
        (standing("resolved", ended_at=ago(601)), found("bad"), "open"),
        (standing("resolved", ended_at=ago(10)), found("still"), "none"),
        (standing("resolved", ended_at=ago(10)), None, "none"),
    ],
)
def test_an_incident_goes_the_way_of_its_finding(before: Standing | None, finding: Finding | None, move: Move) -> None:
    assert next_move(before, finding, RULE, NOON) == move


def test_without_a_hold_an_incident_ends_at_the_first_good_look() -> None:
    rule = Rule(name="beat", kind="beat", type="beat", severity="high")

    assert next_move(standing("firing", last_true_at=NOON), None, rule, NOON) == "resolve"


def test_of_two_findings_of_a_key_the_worse_counts() -> None:
    assert worst([found("clear"), found("bad", "low"), found("bad", "high"), found("still", "critical")]) == found(
        "bad"
    )


def test_an_opening_says_what_was_found() -> None:
    made = opening(
        RULE, Finding(rule="burst", state="bad", service="web", environment="prod", value=37, message="37 errors")
    )

    assert (made.dedup_key, made.type, made.service, made.value, made.is_pending) == (
        "burst:prod:web",
        "high_error_rate",
        "web",
        37,
        True,
    )
