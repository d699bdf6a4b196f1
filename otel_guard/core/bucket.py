"""Storms cost nothing: a token bucket a fingerprint, past it occurrences are only counted."""

from typing import Final

from msgspec import Struct

from otel_guard.core.record import Repeat

CAPACITY: Final = 100.0
REFILL_PER_S: Final = 100.0 / 60.0
MAX_BUCKETS: Final = 2000


class _Bucket(Struct):
    tokens: float
    at: float
    first: Repeat


class Buckets:
    """At most 2,000 fingerprints, the oldest goes first; each keeps the fields of its repeat row."""

    def __init__(self, capacity: float = CAPACITY) -> None:
        self._capacity = capacity
        self._buckets: dict[str, _Bucket] = {}

    def past(self, fingerprint: str, now: float) -> Repeat | None:
        """What to count instead of a record of its own, None while there are tokens; *now* is monotonic, seconds."""
        bucket = self._buckets.get(fingerprint)
        if bucket is None:
            return None
        bucket.tokens = min(self._capacity, bucket.tokens + (now - bucket.at) * REFILL_PER_S)
        bucket.at = now
        if bucket.tokens < 1:
            return bucket.first
        bucket.tokens -= 1
        return None

    def remember(self, first: Repeat, now: float) -> None:
        """Keep the fields of the first occurrence, if they are new."""
        if first.fingerprint in self._buckets:
            return
        while len(self._buckets) >= MAX_BUCKETS:
            self._buckets.pop(next(iter(self._buckets)), None)
        self._buckets[first.fingerprint] = _Bucket(self._capacity - 1, now, first)
