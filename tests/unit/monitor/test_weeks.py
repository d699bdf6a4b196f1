"""How well a week was watched, as the monitor's heartbeat carries it along."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from otel_guard.core.rule import Moment
from otel_guard.monitor.weeks import KEPT, counted, watched

TUESDAY = datetime(2026, 11, 24, 12, tzinfo=UTC)


def moment(now: datetime = TUESDAY, gap_s: float = 15.0, *, is_gap: bool = False) -> Moment:
    return Moment(now=now, gap_s=gap_s, period_s=15, watched_since=now if is_gap else now - timedelta(hours=3))


def detail(**weeks: Any) -> dict[str, Any]:
    return {"weeks": {name.replace("_", "-"): count for name, count in weeks.items()}}


BEFORE = {"cycles": 4.0, "gaps": 1.0, "gap_s": 90.0, "longest_s": 90.0}


def test_a_cycle_is_counted_in_its_week() -> None:
    assert counted(detail(**{"2026_W48": BEFORE}), moment(), UTC) == {"2026-W48": BEFORE | {"cycles": 5.0}}


def test_a_gap_is_counted_with_its_length() -> None:
    found = counted(detail(**{"2026_W48": BEFORE}), moment(gap_s=300.0, is_gap=True), UTC)

    assert found == {"2026-W48": {"cycles": 5.0, "gaps": 2.0, "gap_s": 390.0, "longest_s": 300.0}}


def test_the_first_cycle_ever_ends_no_gap() -> None:
    assert counted({}, moment(is_gap=True), UTC)["2026-W48"]["gaps"] == 0


def test_on_monday_another_week_begins_and_the_oldest_goes() -> None:
    weeks = {f"2026_W{number}": BEFORE for number in range(42, 48)}
    found = counted(detail(**weeks), moment(), UTC)

    assert list(found) == [f"2026-W{number}" for number in range(43, 49)]
    assert len(found) == KEPT


@pytest.mark.parametrize("weeks", [None, [], "x", {"2026-W48": 3}, {"2026-W48": {"cycles": "many"}}])
def test_what_another_release_wrote_otherwise_is_left_out(weeks: object) -> None:
    assert watched({"weeks": weeks}) == {}
