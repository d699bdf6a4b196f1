"""When a cycle judges, from what the last one left: pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from otel_guard.core.rule import Moment
from otel_guard.store.monitoring import Seen

FIRST_ONCE_S: Final = 3600.0  # the period of a cron job before its second run
MISSED: Final = 3.0  # periods without a cycle: nobody watched


def moment_of(seen: Seen, period_s: float | None) -> Moment:
    """*period_s* is the daemon's; None: `--once`, whose period is the gap since the last run."""
    gap_s = (seen.now - seen.at).total_seconds() if seen.at is not None else period_s or FIRST_ONCE_S
    period = period_s if period_s is not None else gap_s
    was_watched = seen.at is not None and gap_s <= MISSED * max(seen.period_s, period)
    return Moment(
        now=seen.now,
        gap_s=max(gap_s, 0.0),
        period_s=max(period, 1.0),
        watched_since=(_since(seen.detail) or seen.at) if was_watched else seen.now,
    )


def _since(detail: Mapping[str, object]) -> datetime | None:
    value = detail.get("watched_since")
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
