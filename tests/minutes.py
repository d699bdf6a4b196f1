"""A row of `metric_minutes`, as the tests of judges and reports need it."""

from bisect import bisect_left
from datetime import datetime

from otel_guard.core.rollup import BOUNDS


def minute_row(at: datetime, n: int, errors: int, seconds: float, **row: object) -> dict[str, object]:
    """Requests of one minute that took *seconds* each; *row* replaces."""
    buckets = [0] * (len(BOUNDS) + 1)
    buckets[bisect_left(BOUNDS, seconds)] = n
    known: dict[str, object] = {
        "minute": at,
        "name": "http.server.request.duration",
        "service": "web",
        "environment": "production",
        "context": "api",
        "system": "http",
        "operation": "POST /checkout",
        "route": "/checkout",
        "n": n,
        "errors": errors,
        "sum": n * seconds,
        "max": seconds,
        "buckets": buckets,
    }
    return known | row
