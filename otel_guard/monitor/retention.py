"""Retention: a little in each cycle."""

from collections.abc import Callable, Iterator
from datetime import datetime

from otel_guard.settings.tree import Retention
from otel_guard.store import retention
from otel_guard.store.ask import Database

Step = Callable[[Database], int]


def tidying(kept: Retention, now: datetime | None = None) -> Iterator[tuple[str, Step]]:
    """A step a table, each for a transaction of its own: delete what is older than *kept* says; how many rows."""
    days = retention.days_of(kept.errors_days, kept.slow_days, kept.minutes_days, kept.hours_days)
    for name, number in days.items():
        yield name.removeprefix("retention_"), _step(name, number, now)


def _step(name: str, days: int, now: datetime | None) -> Step:
    return lambda database: retention.delete(database, name, days, now)
