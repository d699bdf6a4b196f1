"""The audit Postgres as a sink: each record once, trouble answered with a wait or a quarantine."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from otel_guard.core.delivery import Batch, Delivered, Outcome, Quarantine, Retry
from otel_guard.core.exceptions import SchemaError, StoreUnavailableError
from otel_guard.core.record import Head, Record
from otel_guard.runtime.clock import Clock
from otel_guard.runtime.suppression import sending
from otel_guard.store.errors import RecordRefusedError
from otel_guard.store.heartbeats import Beat, write_beat
from otel_guard.store.lane import Lane
from otel_guard.store.writer import Writer

MOST: Final = 500
CURE_S: Final = 30.0  # a person must act first
SAID_EACH_S: Final = 60.0


class PostgresSink:
    """Delivers to Postgres; used by the thread `store` only."""

    def __init__(self, dsn: str, *, clock: Clock, say: Callable[[str], None]) -> None:
        self.problem: str | None = None
        self._clock = clock
        self._say = say
        self.lane = self._lane = Lane(dsn, clock)  # other threads take their turns on it
        self._writer = Writer(self._lane, clock)
        self._head: Head | None = None
        self._chunk = MOST  # halved by each failure: a server may be too slow for more
        self._failures = 0
        self._said_at: float | None = None

    @property
    def up(self) -> bool:
        """Whether Postgres took the last batch (True before the first)."""
        return self.problem is None

    @property
    def late(self) -> int:
        """How many amendments wait for their row."""
        return self._writer.late

    def deliver(self, batch: Batch) -> Outcome:
        """Store *batch* within about 4 s (a bisection: 4 s a part)."""
        records = batch.records[: self._chunk]
        self._head = batch.head
        with sending():
            try:
                self._writer.write_late(batch.head)
                self._writer.write(batch.head, records)
            except RecordRefusedError:
                return self._bisect(batch.head, records)
            except (StoreUnavailableError, SchemaError) as error:
                return self._retry(error)
        self._chunk = min(MOST, self._chunk * 2)
        self._recovered()
        return Delivered() if len(records) == len(batch.records) else Delivered(settled=len(records))

    def tend(self) -> None:
        """Between batches, every few seconds: try again amendments without a row, close an idle connection."""
        with sending():
            if self.up and self._head is not None and self._writer.is_waiting:
                try:
                    self._writer.write_late(self._head)
                except (StoreUnavailableError, SchemaError, RecordRefusedError):
                    self._lane.close()  # the next batch finds out
            self._lane.close_if_idle()

    def beat(self, beat: Beat) -> bool:
        """Write this process's row of `heartbeats`; False: not written."""
        with sending():
            try:
                write_beat(self._lane, beat)
            except (StoreUnavailableError, SchemaError, RecordRefusedError):
                return False
        return True

    def close(self) -> None:
        """Close the connection."""
        with sending():
            self._lane.close()

    def _bisect(self, head: Head, records: Sequence[Record]) -> Outcome:
        try:
            refused = self._refused(head, records)
        except (StoreUnavailableError, SchemaError) as error:
            return self._retry(error)
        self._recovered()
        if not refused:
            return Delivered(settled=len(records))
        return Quarantine(frozenset(refused), next(iter(refused.values())))

    def _refused(self, head: Head, records: Sequence[Record]) -> Mapping[str, str]:
        """Find who is refused, and why; the others are stored on the way (again, later: the key absorbs it)."""
        try:
            self._writer.write(head, records)
        except RecordRefusedError as error:
            if len(records) == 1:
                return {records[0].id: str(error)}
            middle = len(records) // 2
            return {**self._refused(head, records[:middle]), **self._refused(head, records[middle:])}
        return {}

    def _retry(self, error: StoreUnavailableError | SchemaError) -> Retry:
        self.problem = str(error)
        self._failures += 1
        self._chunk = max(1, self._chunk // 2)
        needs_person = isinstance(error, SchemaError)
        now = self._clock.monotonic()
        # One deadlock or restart is not worth a line.
        is_due = self._said_at is None or now - self._said_at >= SAID_EACH_S
        if is_due and (needs_person or self._failures > 1):
            self._said_at = now
            self._say(f"{error}; records wait in the journal")
        return Retry(str(error), CURE_S if needs_person else None)

    def _recovered(self) -> None:
        if self._said_at is not None:
            self._said_at = None
            self._say(f"Postgres ({self._lane.where}) takes records again")
        self.problem = None
        self._failures = 0
