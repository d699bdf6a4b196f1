"""Quantiles of what `metric_minutes` holds: log buckets, or sums of few calls."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from otel_guard.core.rollup import BOUNDS

_EDGES: Final = (0.0, *BOUNDS)


def quantile(buckets: Sequence[int], q: float, highest: float | None = None) -> float | None:
    """The *q*-quantile (0 to 1) in the metric's unit, linear within its bucket; None without a call.

    *highest* is the largest value there was: nothing is above it, and it closes the last, open bucket.
    """
    total = sum(buckets)
    if total <= 0:
        return None
    top = BOUNDS[-1] if highest is None else highest
    wanted, below = q * total, 0
    found = top
    for n, (low, high) in zip(buckets, pairwise((*_EDGES, max(top, BOUNDS[-1]))), strict=False):
        if n > 0 and below + n >= wanted:
            found = low + (high - low) * max(wanted - below, 0.0) / n
            break
        below += n
    return found if highest is None else min(found, highest)


def weighted(points: Iterable[tuple[float, int]], q: float) -> float | None:
    """The *q*-quantile of (value, how often), by nearest rank; None without a value."""
    known = sorted((value, n) for value, n in points if n > 0)
    wanted, below = q * sum(n for _, n in known), 0
    for value, n in known:
        below += n
        if below >= wanted:
            return value
    return None


def points(n: int, total: float, highest: float) -> tuple[tuple[float, int], ...]:
    """What is known of *n* calls by their sum and the largest: exact for one or two, else the others are equal."""
    if n <= 1:
        return ((highest, n),)
    return ((highest, 1), (max(total - highest, 0.0) / (n - 1), n - 1))
