"""Which rule is the noisiest, and which limit is proposed for it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from otel_guard.core.incident import Incident
from otel_guard.monitor.report_noise import noisiest
from otel_guard.store.reports import Fired

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def fired(value: float | None, *, is_acted_on: bool = False, **fields: Any) -> Fired:
    values: dict[str, Any] = {
        "id": "1",
        "state": "resolved",
        "type": "t",
        "rule": "error_burst",
        "dedup_key": "k",
        "severity": "high",
        "value": value,
        "threshold": 10.0,
        "fired_at": NOON,
        "resolved_at": NOON + timedelta(seconds=230),
    }
    return Fired(incident=Incident(**(values | fields)), ingested_at=None, is_acted_on=is_acted_on)


def proposal(*its: Fired) -> dict[str, Any] | None:
    found = noisiest(its)
    assert found is not None
    proposed: dict[str, Any] | None = found["proposal"]
    return proposed


@pytest.mark.parametrize("n", [0, 1, 2])
def test_a_rule_that_fired_less_than_three_times_is_not_noisy(n: int) -> None:
    assert noisiest([fired(12)] * n) is None


def test_three_of_four_that_nobody_acted_on_would_be_silent() -> None:
    assert proposal(fired(12), fired(13), fired(17), fired(60)) == {
        "setting": "above",
        "value": 17.0,
        "old": 10.0,
        "silenced": 3,
    }


def test_what_somebody_acted_on_still_fires() -> None:
    found = proposal(fired(12), fired(13), fired(60), fired(14, is_acted_on=True))

    assert found is not None
    assert found["value"] < 14
    assert found["silenced"] == 2


def test_a_limit_from_below_goes_down() -> None:
    low = [fired(value, rule="email_delivery", threshold=0.95) for value in (0.94, 0.93, 0.92, 0.5)]
    found = proposal(*low)

    assert found is not None
    assert (found["setting"], found["old"]) == ("below", 0.95)
    assert 0.5 < found["value"] <= 0.92


def test_a_rule_of_a_state_waits_longer() -> None:
    its = [fired(None, rule="dependency_unhealthy", threshold=None)] * 3

    assert proposal(*its) == {"setting": "for", "value": 240, "old": None, "silenced": 3}


def test_a_rule_that_is_mostly_acted_on_keeps_its_limit() -> None:
    its = [fired(12, is_acted_on=True)] * 3

    assert noisiest(its) == {"rule": "error_burst", "fired": 3, "acted_on": 3, "proposal": None}


def test_the_rule_with_the_most_unanswered_is_named() -> None:
    found = noisiest([*[fired(12, is_acted_on=True)] * 9, *[fired(7, rule="slow_queries", threshold=5.0)] * 3])

    assert found is not None
    assert found["rule"] == "slow_queries"


def test_incidents_that_people_opened_are_no_rule() -> None:
    assert noisiest([fired(None, rule=None, threshold=None)] * 5) is None
