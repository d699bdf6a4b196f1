"""Weeks: what a name means, and when a report is due."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from otel_guard.core.week import before, due_week, last_week, until_now, week_named, week_of

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("label", "monday"),
    [
        ("2026-W47", "2026-11-16"),
        ("2026W47", "2026-11-16"),
        ("2026-w1", "2025-12-29"),
        ("2026-W53", "2026-12-28"),
        ("2025-W53", None),
        ("2026-W00", None),
        ("W47", None),
        ("2026-47", None),
        ("", None),
    ],
)
def test_a_name_is_an_iso_week(label: str, monday: str | None) -> None:
    week = week_named(label, UTC)

    assert (week and week.monday.isoformat()) == monday


def test_a_week_goes_from_midnight_to_midnight_of_its_zone() -> None:
    week = week_named("2026-W13", BERLIN)  # the clocks go forward in its last night

    assert week is not None
    assert week.since == datetime(2026, 3, 22, 23, tzinfo=UTC)
    assert week.until == datetime(2026, 3, 29, 22, tzinfo=UTC)
    assert week.until - week.since == timedelta(days=7, hours=-1)


@pytest.mark.parametrize(
    ("at", "label"),
    [
        (MONDAY + timedelta(hours=7, minutes=59), "2026-W46"),
        (MONDAY + timedelta(hours=8), "2026-W47"),
        (MONDAY + timedelta(days=3), "2026-W47"),
        (MONDAY + timedelta(days=6, hours=23), "2026-W47"),
    ],
)
def test_a_report_is_due_from_monday_at_eight_and_until_the_next(at: datetime, label: str) -> None:
    assert due_week(at, UTC).label == label


def test_eight_o_clock_is_that_of_the_zone() -> None:
    seven_utc = MONDAY + timedelta(hours=7)

    assert due_week(seven_utc, UTC).label == "2026-W46"
    assert due_week(seven_utc, BERLIN).label == "2026-W47"


def test_a_week_that_runs_is_compared_with_as_much_of_those_before() -> None:
    now = MONDAY + timedelta(days=1, hours=6)
    running = until_now(week_of(now.date(), UTC), now)
    earlier = list(before(running, 2, UTC))

    assert (running.until, running.is_whole) == (now, False)
    assert [(each.label, each.until - each.since) for each in earlier] == [
        ("2026-W47", timedelta(days=1, hours=6)),
        ("2026-W46", timedelta(days=1, hours=6)),
    ]


def test_a_week_that_is_over_is_compared_with_whole_ones() -> None:
    week = until_now(last_week(MONDAY, UTC), MONDAY)

    assert week.is_whole
    assert [each.label for each in before(week, 4, UTC)] == ["2026-W46", "2026-W45", "2026-W44", "2026-W43"]
