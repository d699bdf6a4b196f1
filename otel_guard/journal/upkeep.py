"""What the thread `scheduler` does: callbacks, counts, quota, deletion, adoption, recovery."""

import random
import threading
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from otel_guard.journal.dropped import Dropped
from otel_guard.journal.intake import Intake
from otel_guard.journal.memory import Ring
from otel_guard.journal.outflow import Outflow
from otel_guard.journal.setup import Setup
from otel_guard.runtime.worker import Worker

STEP_S: Final = 1.0
RECOVER_S: Final = 5.0
ADOPT_S: Final = 30.0
ADOPT_JITTER_S: Final = 10.0
FIRST_ADOPT_S: Final = 2.0
ROTATE_S: Final = 600.0
JOB: Final = "journal.scheduler"


class Callback(Struct, frozen=True):
    """Called each *period_s*, and before the last delivery."""

    period_s: float
    fn: Callable[[], None]


class Upkeep:
    """Stepped by its own thread; `call_all` by who flushes."""

    def __init__(
        self,
        setup: Setup,
        intake: Intake,
        outflow: Outflow,
        ring: Ring,
        dropped: Dropped,
        callbacks: Sequence[Callback],
    ) -> None:
        now = setup.clock.monotonic()
        self._setup = setup
        self._intake = intake
        self._outflow = outflow
        self._ring = ring
        self._dropped = dropped
        self._callbacks = callbacks  # the journal's list: it may grow
        self._called_at: dict[int, float] = {}
        self._turn = threading.Lock()  # of one round of callbacks
        self._began_at = now
        self._adopt_at = now + random.random() * FIRST_ADOPT_S  # noqa: S311 - so that workers don't all look at once
        self._recover_at = now + RECOVER_S
        self._rotated_at = now
        self._worker = Worker("scheduler", self.step, failsafe=setup.failsafe)

    def start(self) -> None:
        """Start the thread."""
        self._worker.start()

    def stop(self, timeout_s: float) -> bool:
        """Stop the thread; False: it is still at it."""
        return self._worker.stop(max(timeout_s, 0.0))

    def step(self) -> float:
        """Do what is due; return how many seconds to wait."""
        now = self._setup.clock.monotonic()
        with self._turn:
            self._call(now, is_last=False)
            with self._setup.failsafe(f"{JOB}_count"):
                self._count()
        for job in (self._look_at_disk, self._recover, self._rotate, self._adopt):
            with self._setup.failsafe(f"{JOB}{job.__name__}"):
                job()
        return STEP_S

    def call_all(self, timeout_s: float) -> None:
        """Run every callback now, and append what was counted."""
        if not self._turn.acquire(timeout=max(timeout_s, 0.0)):
            return
        try:
            self._call(self._setup.clock.monotonic(), is_last=True)
            with self._setup.failsafe(f"{JOB}_count"):
                self._count()
        finally:
            self._turn.release()

    def _call(self, now: float, *, is_last: bool) -> None:
        for number, callback in enumerate(tuple(self._callbacks)):
            last = self._called_at.setdefault(number, self._began_at)
            if is_last or now - last >= callback.period_s:
                self._called_at[number] = now
                with self._setup.failsafe(f"{JOB}_callback"):
                    callback.fn()

    def _count(self) -> None:
        self._dropped.send(self._intake.append)

    def _look_at_disk(self) -> None:
        if self._setup.folder is not None and self._outflow.own is not None:
            self._intake.measure()
            self._outflow.tidy(self._intake.quota)

    def _recover(self) -> None:
        now = self._setup.clock.monotonic()
        is_broken = self._intake.memory_why is not None or self._intake.writer is None
        if self._setup.folder is None or (is_broken and now < self._recover_at):
            return
        if is_broken:
            self._recover_at = now + RECOVER_S
            self._intake.recover()
        elif self._ring.size_bytes:
            self._intake.move()

    def _rotate(self) -> None:
        now = self._setup.clock.monotonic()
        writer = self._intake.writer
        if writer is None or now - self._rotated_at < ROTATE_S:
            return
        self._rotated_at = now
        if writer.has_records():
            writer.rotate()

    def _adopt(self) -> None:
        now = self._setup.clock.monotonic()
        if now < self._adopt_at:
            return
        self._adopt_at = now + STEP_S
        if self._outflow.adopt():
            self._adopt_at = now + ADOPT_S + random.uniform(-ADOPT_JITTER_S, ADOPT_JITTER_S)  # noqa: S311
