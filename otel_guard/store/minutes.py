"""What several stats frames come to, line by line."""

from collections.abc import Iterable
from itertools import zip_longest
from typing import Final

from otel_guard.core.record import CallStats, StatRow
from otel_guard.store.rows import Columns, array_text, columns

MINUTE_COLUMNS: Final = (
    "minute", "name", "context", "system", "operation", "route", "n", "errors", "sum", "max", "buckets",
)  # fmt: skip
_Key = tuple[int, str, str, str, str, str]


def minute_columns(frames: Iterable[CallStats]) -> Columns:
    """Columns for `upsert_minutes`, each line of `metric_minutes` once."""
    lines: dict[_Key, StatRow] = {}
    for row in (row for frame in frames for row in frame.rows):
        key = (row.minute, row.name, row.context, row.system, row.operation, row.route)
        lines[key] = _sum(lines[key], row) if key in lines else row
    return columns(
        MINUTE_COLUMNS,
        [(*key, row.n, row.errors, row.sum, row.max, array_text(row.buckets)) for key, row in lines.items()],
    )


def _sum(one: StatRow, other: StatRow) -> StatRow:
    return StatRow(
        minute=one.minute,
        name=one.name,
        context=one.context,
        system=one.system,
        operation=one.operation,
        route=one.route,
        n=one.n + other.n,
        errors=one.errors + other.errors,
        sum=one.sum + other.sum,
        max=max(one.max, other.max),
        buckets=tuple(a + b for a, b in zip_longest(one.buckets, other.buckets, fillvalue=0)),
    )
