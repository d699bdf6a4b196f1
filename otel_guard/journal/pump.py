"""The loop of one sink: read, deliver, retry, quarantine, move the cursor."""

import queue
import random
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from otel_guard.core.delivery import Batch, Delivered, Outcome, Quarantine, Retry, Sink
from otel_guard.core.record import created_at_ms
from otel_guard.journal.backoff import LEAST_S, Backoff
from otel_guard.journal.reader import Entry
from otel_guard.journal.reading import BATCH, Reading
from otel_guard.runtime.clock import Clock
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.runtime.suppression import sending

IDLE_S: Final = 2.0
LINGER_S: Final = 0.2
TROUBLE_S: Final = 5.0
FAULTS_OF_ONE: Final = 3
TEND_S: Final = 5.0


class SinkSpec(Struct, frozen=True):
    """A sink and what the journal owes it."""

    sink: Sink
    durable: bool  # segments wait until it has passed them
    max_lag_s: float | None = None  # of one that is not durable: how long segments wait for it; None: as if durable
    tend: Callable[[], None] | None = None  # called between batches, each 5 s, in the sink's thread
    linger_s: float = LINGER_S  # after a batch, until the next is read


class Pump:
    """Steps one sink; used by its thread alone, but for `add`, `hurry` and what it shows."""

    def __init__(
        self,
        name: str,
        spec: SinkSpec,
        *,
        clock: Clock,
        failsafe: Failsafe,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self.spec = spec
        self.is_idle = False
        self.delivered = 0
        self.retries = 0
        self.trouble: str | None = None  # why the last batch was not taken
        self.oldest_ms: int | None = None  # of what waits
        self._clock = clock
        self._failsafe = failsafe
        self._backoff = Backoff(clock, jitter)
        self._added: queue.SimpleQueue[Reading] = queue.SimpleQueue()
        self._readings: list[Reading] = []
        self._is_hurried = False
        self._limit = BATCH
        self._faults = 0
        self._tended_at = clock.monotonic()

    def add(self, reading: Reading) -> None:
        """Read this journal too, after those before it; from any thread."""
        self._added.put(reading)

    def hurry(self, *, on: bool) -> None:
        """Wait neither for more records nor for our own back-off; a pause that the peer asked for is kept."""
        self._is_hurried = on
        if on:
            self._backoff.cut()

    def step(self) -> float:
        """Deliver at most one batch a journal; return how many seconds to wait."""
        self.is_idle = True  # before looking: who appends after this wakes us
        self._tend()
        self._readings = [*(known for known in self._readings if not known.is_over), *self._new()]
        wait_s = min([self._watched(reading) for reading in self._readings], default=IDLE_S)
        heads = [waiting[0].record for reading in self._readings if (waiting := reading.waiting)]
        self.oldest_ms = min((created_at_ms(record.id) for record in heads), default=None)
        if wait_s < IDLE_S:
            self.is_idle = False  # there is a time to wait for
        return wait_s

    def close(self) -> None:
        """Close all files, once its thread has ended; the cursors stay."""
        for reading in [*self._readings, *self._new()]:
            if not reading.is_over:
                reading.close()
        self._readings = []

    def _new(self) -> Iterator[Reading]:
        while not self._added.empty():
            yield self._added.get()

    def _watched(self, reading: Reading) -> float:
        try:
            return self._advance(reading)
        except Exception as error:
            if not self._failsafe.swallow(f"journal.{self.name}", error):
                raise
            reading.not_before = self._clock.monotonic() + TROUBLE_S  # a broken journal holds no other up
            return TROUBLE_S

    def _advance(self, reading: Reading) -> float:
        now = self._clock.monotonic()
        if (wait_s := reading.not_before - now) > 0:
            return wait_s
        waiting = reading.fill()
        if reading.is_over or not waiting:
            again_s = None if reading.is_over else reading.look_again_s
            return IDLE_S if again_s is None else again_s
        if (wait_s := self._backoff.wait_s) > 0:
            return wait_s
        if not (self._is_hurried or reading.is_full) and (wait_s := reading.linger_until - now) > 0:
            return wait_s
        waiting = waiting[: self._limit]
        outcome = self._deliver(reading, waiting)
        reading.linger_until = self._clock.monotonic() + self.spec.linger_s
        return self._follow(reading, waiting, outcome)

    def _deliver(self, reading: Reading, waiting: list[Entry]) -> Outcome:
        batch = Batch(head=reading.head, records=[entry.record for entry in waiting], is_own=reading.is_own)
        try:
            with sending():
                outcome = self.spec.sink.deliver(batch)
        except Exception as error:
            if not self._failsafe.swallow(f"sink.{self.name}", error):
                raise
            return self._after_fault(waiting, error)
        self._faults = 0
        self._limit = min(BATCH, self._limit * 2)
        return outcome

    def _after_fault(self, waiting: list[Entry], error: Exception) -> Outcome:
        """A sink that raises has a fault of its own: find the record that it cannot take, by halves."""
        why = f"{type(error).__name__} in the sink {self.name}"
        if len(waiting) > 1:
            self._limit = max(1, len(waiting) // 2)
            self._faults = 0
            return Retry(why)
        self._faults += 1
        if self._faults < FAULTS_OF_ONE:
            return Retry(why)
        self._faults = 0
        return Quarantine(frozenset({waiting[0].record.id}), why)

    def _follow(self, reading: Reading, waiting: list[Entry], outcome: Outcome) -> float:
        match outcome:
            case Delivered(settled, wait_s):
                count = len(waiting) if settled is None else min(settled, len(waiting))
                self._recover()
                self.delivered += count
                reading.settle(count)
                if count == len(waiting):
                    return 0.0
                wait_s = wait_s if count else max(wait_s, LEAST_S)
                reading.not_before = self._clock.monotonic() + wait_s
                return wait_s
            case Quarantine(ids, why) if reading.set_aside(ids, why):
                self._recover()
                return 0.0
            case Quarantine(_, why):
                return self._fail(why, None)
            case Retry(why, after_s):
                return self._fail(why, after_s)

    def _recover(self) -> None:
        self._backoff.recover()
        self.trouble = None

    def _fail(self, why: str, after_s: float | None) -> float:
        self.retries += 1
        self.trouble = why
        return self._backoff.fail(after_s)

    def _tend(self) -> None:
        now = self._clock.monotonic()
        if self.spec.tend is not None and now - self._tended_at >= TEND_S:
            self._tended_at = now
            with self._failsafe(f"tend {self.name}"), sending():
                self.spec.tend()
