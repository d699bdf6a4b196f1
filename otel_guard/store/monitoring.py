"""What the monitor keeps of itself, and what it learns of releases."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from otel_guard.store.ask import Database, Row, ask, run
from otel_guard.store.rows import json_text


class Seen(Struct, frozen=True, kw_only=True):
    """The database's time, and the newest heartbeat of a monitor, if there ever was one."""

    now: datetime
    at: datetime | None
    period_s: float
    detail: Mapping[str, Any]


class Reach(Struct, frozen=True, kw_only=True):
    """How many channels failed last; how many probes of services elsewhere there are, and fail."""

    channels_failing: int
    probes: int
    probes_failing: int


def seen(database: Database, now: datetime | None = None) -> Seen:
    """Read it."""
    row = ask(database, "monitor_seen", {"now": now})[0]
    return Seen(now=row["now"], at=row["at"], period_s=row["period_s"] or 0.0, detail=row["detail"] or {})


def beat(
    database: Database, instance: str, period_s: float, detail: Mapping[str, object], now: datetime | None = None
) -> None:
    """Say that a cycle ended."""
    values = {"instance": instance, "period_s": period_s, "detail": json_text(detail), "now": now}
    run(database, "monitor_beat", values)


def note_releases(database: Database, now: datetime | None = None) -> list[Row]:
    """Record releases that processes run and nobody announced: service, environment, release of each."""
    return ask(database, "monitor_releases", {"now": now})


def reach(database: Database, channels: Sequence[str], now: datetime | None = None) -> Reach:
    """What can be reached, of *channels* and by the probes of all processes."""
    return Reach(**ask(database, "monitor_reach", {"channels": list(channels), "now": now})[0])
