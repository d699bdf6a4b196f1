"""Amendments whose row is not there yet: tried again from memory for ten minutes."""

from collections.abc import Iterable, Mapping
from typing import Final

from otel_guard.store.amendments import Change

MOST: Final = 1000
KEPT_S: Final = 600.0
EACH_S: Final = 5.0


class Late:
    """At most 1,000; the oldest go first, and are counted."""

    def __init__(self) -> None:
        self.given_up = 0  # not yet told to Postgres
        self._changes: dict[str, tuple[Change, float]] = {}  # in the order of their first sighting
        self._tried_at = 0.0

    def __len__(self) -> int:
        return len(self._changes)

    def of(self, ids: Iterable[str]) -> list[Change]:
        """Those that wait for one of *ids*."""
        return [self._changes[key][0] for key in ids if key in self._changes]

    def due(self, now: float) -> list[Change]:
        """All, if the last try was a while ago; who has waited ten minutes is given up."""
        old = [key for key, (_, since) in self._changes.items() if now - since >= KEPT_S]
        for key in old:
            del self._changes[key]
        self.given_up += len(old)
        if not self._changes or now - self._tried_at < EACH_S:
            return []
        self._tried_at = now
        return [change for change, _ in self._changes.values()]

    def settle(self, tried: Mapping[str, Change], stored: Iterable[str], now: float) -> None:
        """Take note of a committed try: keep of *tried* what was not *stored*."""
        found = set(stored)
        for key, change in tried.items():
            _, since = self._changes.get(key, (change, now))
            if key in found:
                self._changes.pop(key, None)
            else:
                self._changes[key] = (change, since)
        while len(self._changes) > MOST:
            del self._changes[next(iter(self._changes))]
            self.given_up += 1
