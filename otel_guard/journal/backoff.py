"""When a sink that took nothing is asked again."""

from collections.abc import Callable
from typing import Final

from otel_guard.runtime.clock import Clock

FIRST_S: Final = 0.5
MOST_S: Final = 30.0
LEAST_S: Final = 0.05
MOST_DOUBLINGS: Final = 10


class Backoff:
    """Full jitter of 0.5 s x 2^n, at most 30 s; what the peer asked for is never undercut."""

    def __init__(self, clock: Clock, jitter: Callable[[], float]) -> None:
        """*jitter* gives numbers from 0 to 1."""
        self._clock = clock
        self._jitter = jitter
        self._attempts = 0
        self._not_before = 0.0
        self._is_asked = False  # by the peer

    @property
    def wait_s(self) -> float:
        """How long to wait yet."""
        return max(self._not_before - self._clock.monotonic(), 0.0)

    def fail(self, after_s: float | None) -> float:
        """Return how long to wait; *after_s*: the peer asked for it."""
        most_s = min(MOST_S, FIRST_S * 2.0 ** min(self._attempts, MOST_DOUBLINGS))
        wait_s = max(self._jitter() * most_s if after_s is None else after_s, LEAST_S)
        self._attempts += 1
        self._is_asked = after_s is not None
        self._not_before = self._clock.monotonic() + wait_s
        return wait_s

    def recover(self) -> None:
        """Begin anew: something was taken."""
        self._attempts = 0
        self._is_asked = False

    def cut(self) -> None:
        """Try at once, unless the peer asked for a pause."""
        if not self._is_asked:
            self._not_before = 0.0
