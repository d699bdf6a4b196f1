"""When to look: each second at what was asked, each five seconds at all."""

import threading
from typing import Final

from otel_guard.health.probing import Probes
from otel_guard.health.refreshing import Refreshing
from otel_guard.health.sharing import Sharing
from otel_guard.runtime.clock import Clock

START_S: Final = 4.0  # longest wait for the first probes
OVERDUE_S: Final = 15.0  # without a snapshot till then the fault is ours


class Background:
    """Stepped by one thread; `first` by any."""

    def __init__(self, probes: Probes, refreshing: Refreshing, sharing: Sharing, clock: Clock) -> None:
        self._probes = probes
        self._refreshing = refreshing
        self._sharing = sharing
        self._clock = clock
        self._began_s: float | None = None
        self._turn = threading.Lock()  # of one refresh

    def tick(self) -> None:
        """Take answers, start what is due, look again."""
        if not self._turn.acquire(blocking=False):
            return
        try:
            has_news = self._probes.step(self._refreshing.judging.wants)
            if self._may_look() and (has_news or self._refreshing.is_due()):
                self._refresh()
        finally:
            self._turn.release()

    def first(self) -> None:
        """Make the first snapshot at once, where no probe is to be waited for."""
        self._begin()
        if self._refreshing.snapshot is not None or self._refreshing.is_waiting():
            return
        if self._turn.acquire(blocking=False):
            try:
                self._refresh()
            finally:
                self._turn.release()

    def is_overdue(self) -> bool:
        """Whether a first snapshot should have been there long ago."""
        return self._clock.monotonic() - self._begin() > OVERDUE_S

    def forget(self) -> None:
        """In a forked child: all begins anew."""
        self._began_s, self._turn = None, threading.Lock()
        self._probes.forget()
        self._sharing.forget()
        self._refreshing.forget()

    def _may_look(self) -> bool:
        """Whether there is a snapshot, or its probes have answered, or had their time."""
        is_early = self._clock.monotonic() - self._begin() < START_S
        return self._refreshing.snapshot is not None or not (is_early and self._refreshing.is_waiting())

    def _begin(self) -> float:
        if self._began_s is None:
            self._began_s = self._clock.monotonic()
        return self._began_s

    def _refresh(self) -> None:
        if self._refreshing.refresh(self._sharing.live()):
            self._sharing.changed()
