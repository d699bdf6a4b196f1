"""Retention: a little in each cycle."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

from otel_guard.settings.tree import Retention
from otel_guard.store import retention
from otel_guard.store.ask import Database


def tidy(
    transaction: Callable[[], AbstractContextManager[Database]], kept: Retention, now: datetime | None = None
) -> int:
    """Delete what is older than *kept* says, each table in a transaction of its own; how many rows."""
    days = retention.days_of(kept.errors_days, kept.slow_days, kept.minutes_days, kept.hours_days)
    deleted = 0
    for name, number in days.items():
        with transaction() as database:
            deleted += retention.delete(database, name, number, now)
    return deleted
