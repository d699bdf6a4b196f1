from datetime import UTC, datetime, timedelta

import pytest

from otel_guard.dashboard.rendering import ago, moment, number

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (7199, "119 min ago"),
        (7200, "2 h ago"),
        (172_800, "2 d ago"),
    ],
)
def test_the_past_is_told_in_one_unit(seconds: int, text: str) -> None:
    assert ago(NOON - timedelta(seconds=seconds), NOON) == text


def test_a_moment_is_utc() -> None:
    assert moment(datetime.fromisoformat("2026-11-24T13:00:00+01:00")) == "2026-11-24 12:00:00 UTC"


@pytest.mark.parametrize(("value", "text"), [(37.0, "37"), (0.0521, "0.0521"), (1_000_000.0, "1000000")])
def test_a_number_is_shown_without_noise(value: float, text: str) -> None:
    assert number(value) == text
