"""The requests that the application served in the last five minutes: how many, how failed, how fast, for whom."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from otel_guard.core import bitmap
from otel_guard.core.passive import BUCKET_MS, BUCKETS

WINDOW_S: Final = BUCKETS * BUCKET_MS // 1000
LEAST_REQUESTS: Final = 20
# Milliseconds: 12 steps a decade, so the middle of a step is right within 10 %.
BOUNDS: Final = tuple(round(10 ** (step / 12), 3) for step in range(61))
_HALF_STEP: Final = 10 ** (1 / 24)


class Counters(Struct, frozen=True, kw_only=True):
    """One process's window, as its siblings read it."""

    n: int = 0
    errors: int = 0
    sum_ms: float = 0.0
    buckets: tuple[int, ...] = ()
    users: str | None = None  # a bitmap; None: no user was ever known
    queues: Mapping[str, int | None] = {}


class Traffic:
    """Rings of requests and users; no lock, as in `passive`."""

    def __init__(self) -> None:
        self._rows: list[list[float]] = [[-1, 0, 0, 0.0] for _ in range(BUCKETS)]
        self._steps: list[list[int]] = [[0] * (len(BOUNDS) + 1) for _ in range(BUCKETS)]
        self._users: list[list[int]] = [[-1, 0] for _ in range(BUCKETS)]
        self._has_users = False

    def observe(self, duration_ms: float, at_ms: int, *, is_failed: bool) -> None:
        """Count one request."""
        slot = at_ms // BUCKET_MS
        place = slot % BUCKETS
        row, steps = self._rows[place], self._steps[place]
        if row[0] != slot:
            row[:] = (slot, 0, 0, 0.0)
            steps[:] = [0] * len(steps)
        row[1] += 1
        row[2] += is_failed
        row[3] += duration_ms
        steps[bisect_left(BOUNDS, duration_ms)] += 1

    def user(self, user_id: str, at_ms: int) -> None:
        """A user was served."""
        slot = at_ms // BUCKET_MS
        row = self._users[slot % BUCKETS]
        if row[0] != slot:
            row[:] = (slot, 0)
        row[1] |= bitmap.bit_of(user_id)
        self._has_users = True

    def counters(self, now_ms: int, queues: Mapping[str, int | None]) -> Counters:
        """The last five minutes."""
        newest = now_ms // BUCKET_MS
        live = [place for place, row in enumerate(self._rows) if newest - BUCKETS < row[0] <= newest]
        users = 0
        for slot, bits in self._users:
            users |= bits if newest - BUCKETS < slot <= newest else 0
        return Counters(
            n=int(sum(self._rows[place][1] for place in live)),
            errors=int(sum(self._rows[place][2] for place in live)),
            sum_ms=sum(self._rows[place][3] for place in live),
            buckets=tuple(map(sum, zip(*(self._steps[place] for place in live), strict=True))),
            users=bitmap.encode(users) if self._has_users else None,
            queues=dict(queues),
        )


def metrics(all_counters: Iterable[Counters]) -> dict[str, object]:
    """The `metrics` of /health over one process or many; a queue's depth is what the last process said."""
    given = list(all_counters)
    n, errors = sum(one.n for one in given), sum(one.errors for one in given)
    queues = {name: depth for one in given for name, depth in one.queues.items() if depth is not None}
    steps = [sum(column) for column in zip(*(one.buckets for one in given if one.buckets), strict=False)]
    users, is_any_known = 0, False
    for one in given:
        is_any_known |= one.users is not None
        users |= bitmap.decode(one.users) if one.users is not None else 0
    return {
        "response_time_ms": round(sum(one.sum_ms for one in given) / n, 1) if n else None,
        "response_time_p95_ms": _quantile(steps, 0.95),
        "active_users": bitmap.estimate(users) if is_any_known else None,
        "queue_depth": sum(queues.values()) if queues else None,
        "queues": queues,
        "error_rate": round(errors / n, 4) if n >= LEAST_REQUESTS else None,
        "window_s": WINDOW_S,
    }


def _quantile(steps: Iterable[int], share: float) -> float | None:
    """The middle of the step in which the quantile lies."""
    counts = list(steps)
    wanted, seen = share * sum(counts), 0
    for place, count in enumerate(counts):
        seen += count
        if count and seen >= wanted:
            return round(BOUNDS[min(place, len(BOUNDS) - 1)] / _HALF_STEP, 1)
    return None
