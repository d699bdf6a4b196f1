"""Deleting what is older than it should be kept: at most 5,000 rows a table at a time, oldest first."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from otel_guard.store.ask import Database, run

FRAMES_DAYS: Final = 2
STATUS_DAYS: Final = 1
CHANGES_DAYS: Final = 91


def days_of(errors_days: int, slow_days: int, minutes_days: int, hours_days: int) -> Mapping[str, int]:
    """Statement to the days that its rows are kept; incidents and audits stay."""
    return {
        "retention_errors": errors_days,
        "retention_slow": slow_days,
        "retention_minutes": minutes_days,
        "retention_hours": hours_days,
        "retention_frames": FRAMES_DAYS,
        "retention_statuses": STATUS_DAYS,
        "retention_changes": CHANGES_DAYS,
        "retention_processes": STATUS_DAYS,
        "retention_drops": errors_days,
    }


def delete(database: Database, name: str, days: int, now: datetime | None = None) -> int:
    """Run one of the statements; how many rows went."""
    return run(database, name, {"days": days, "now": now})
