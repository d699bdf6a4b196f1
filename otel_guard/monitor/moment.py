"""When a cycle judges, from what the last one left: pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from otel_guard.core.rule import Moment
from otel_guard.store.monitoring import Seen

FIRST_ONCE_S: Final = 3600.0  # the period of a cron job before its second run
LEAST_ONCE_S: Final = 60.0  # cron's own; what comes sooner was started by hand
MISSED: Final = 3.0  # periods without a cycle: nobody watched


def moment_of(seen: Seen, period_s: float | None) -> Moment:
    """*period_s* is the daemon's; None: `--once`."""
    gap_s = max((seen.now - seen.at).total_seconds(), 0.0) if seen.at is not None else None
    period = period_s if period_s is not None else _once_period_s(seen, gap_s)
    was_watched = gap_s is not None and gap_s <= MISSED * max(seen.period_s, period)
    return Moment(
        now=seen.now,
        gap_s=period if gap_s is None else gap_s,
        period_s=max(period, 1.0),
        watched_since=(_since(seen.detail) or seen.at) if was_watched else seen.now,
    )


def _once_period_s(seen: Seen, gap_s: float | None) -> float:
    """The gap since the last run; a run between two of cron's halves it at most, or the monitor would seem offline."""
    return FIRST_ONCE_S if gap_s is None else max(gap_s, seen.period_s / 2, LEAST_ONCE_S)


def _since(detail: Mapping[str, object]) -> datetime | None:
    value = detail.get("watched_since")
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
