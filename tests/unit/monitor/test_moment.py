from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from otel_guard.monitor.moment import moment_of
from otel_guard.store.monitoring import Seen

NOW = datetime(2026, 11, 23, 21, 30, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=5)


def seen(ago_s: float | None, period_s: float = 15.0, **detail: Any) -> Seen:
    at = None if ago_s is None else NOW - timedelta(seconds=ago_s)
    return Seen(now=NOW, at=at, period_s=period_s, detail=detail)


@pytest.mark.parametrize(
    ("last", "period_s", "gap_s", "period", "watched_since"),
    [
        pytest.param(seen(None), 15.0, 15.0, 15.0, NOW, id="a daemon's first cycle"),
        pytest.param(seen(None), None, 3600.0, 3600.0, NOW, id="the first run of cron"),
        pytest.param(seen(15, watched_since=EARLIER.isoformat()), 15.0, 15.0, 15.0, EARLIER, id="in its rhythm"),
        pytest.param(
            seen(600, 600, watched_since=EARLIER.isoformat()), None, 600.0, 600.0, EARLIER, id="cron's rhythm"
        ),
        pytest.param(seen(60, watched_since=EARLIER.isoformat()), 15.0, 60.0, 15.0, NOW, id="it missed three"),
        pytest.param(seen(60, 3600), None, 60.0, 1800.0, NOW - timedelta(seconds=60), id="by hand between two of cron"),
        pytest.param(seen(3, 15), None, 3.0, 60.0, NOW - timedelta(seconds=3), id="cron is not quicker than a minute"),
        pytest.param(
            seen(20, watched_since="yesterday"), 15.0, 20.0, 15.0, NOW - timedelta(seconds=20), id="unreadable"
        ),
    ],
)
def test_the_gap_is_since_the_last_cycle_and_a_long_one_ends_the_watch(
    last: Seen, period_s: float | None, gap_s: float, period: float, watched_since: datetime
) -> None:
    moment = moment_of(last, period_s)

    assert (moment.now, moment.gap_s, moment.period_s, moment.watched_since) == (NOW, gap_s, period, watched_since)
