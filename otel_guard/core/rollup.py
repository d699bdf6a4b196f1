"""Sums a minute of calls: what `metric_minutes` holds."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

from otel_guard.core.classify import Call
from otel_guard.core.record import StatRow

# Seconds; OTel's advice for HTTP durations, with a longer tail for AI and email. Upper bounds, the last bucket is open.
BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
MAX_KEYS: Final = 2000
OTHER: Final = "_OTHER"
Key = tuple[int, str, str, str, str, str]


class Rollup:
    """Sums by minute, metric, context, system, operation and route; past 2,000 keys operation and route are `_OTHER`."""

    def __init__(self) -> None:
        self._rows: dict[Key, list[float]] = {}
        self._buckets: dict[Key, list[int]] = {}

    def add(self, call: Call) -> None:
        """Count one call; cancelled ones count, but are no errors."""
        key = self._key(call)
        seconds = call.duration_ms / 1000
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = [0, 0, 0.0, 0.0]
            self._buckets[key] = [0] * (len(BOUNDS) + 1)
        row[0] += 1
        row[1] += call.outcome == "failed"
        row[2] += seconds
        row[3] = max(row[3], seconds)
        self._buckets[key][bisect_left(BOUNDS, seconds)] += 1

    def take(self) -> tuple[StatRow, ...]:
        """The sums since the last call, and start anew."""
        rows, buckets = self._rows, self._buckets
        self._rows, self._buckets = {}, {}
        return tuple(_row(key, row, buckets[key]) for key, row in sorted(rows.items()))

    def _key(self, call: Call) -> Key:
        minute = call.ended_ms // 60_000 * 60
        key = (minute, call.name, call.context, call.system or "", call.operation, call.route or "")
        if key not in self._rows and len(self._rows) >= MAX_KEYS:
            return (*key[:4], OTHER, OTHER)
        return key


def _row(key: Key, row: Iterable[float], buckets: Iterable[int]) -> StatRow:
    minute, name, context, system, operation, route = key
    n, errors, total, highest = row
    return StatRow(
        minute=minute,
        name=name,
        context=context,
        system=system,
        operation=operation,
        route=route,
        n=int(n),
        errors=int(errors),
        sum=total,
        max=highest,
        buckets=tuple(buckets),
    )
