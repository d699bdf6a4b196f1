"""What was not kept: counted by reason, and sent on as `Drops`."""

import queue
from collections import Counter
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from otel_guard.core.codec import KIND_NAMES
from otel_guard.core.record import Drops, ErrorRecord, Record, Repeat
from otel_guard.journal.counting import Counted
from otel_guard.runtime.clock import Clock
from otel_guard.runtime.ids import uuid7

MOST_KEYS: Final = 2000
_Key = tuple[str, str, str | None, str | None]  # reason, kind, severity, fingerprint


class _Drop(Struct, frozen=True):
    key: _Key
    n: int
    seq: int | None
    at_ms: int


class Dropped:
    """`note` is safe in any thread and signal handler; `send` is the scheduler's."""

    def __init__(self, clock: Clock) -> None:
        self.totals: Counter[str] = Counter()
        self._clock = clock
        self._noted: queue.SimpleQueue[_Drop] = queue.SimpleQueue()
        self._sums: dict[_Key, Drops] = {}

    def note(self, reason: str, record: Record) -> None:
        """Count *record* as dropped."""
        if isinstance(record, Drops):
            return  # its numbers are counted already; it is made again
        severity = record.severity if isinstance(record, ErrorRecord | Repeat) else None
        fingerprint = record.fingerprint if isinstance(record, ErrorRecord | Repeat) else None
        seq = record.seq if isinstance(record, ErrorRecord | Repeat) else None
        n = record.n if isinstance(record, Repeat) else 1
        key = (reason, KIND_NAMES[type(record)], severity, fingerprint)
        self._noted.put(_Drop(key, n, seq, self._clock.now_ms()))

    def note_errors(self, reason: str, counted: Counted) -> None:
        """Count the errors that a sink did not get."""
        now_ms = self._clock.now_ms()
        for (kind, severity), n in counted.items():
            if kind == "error":
                self._noted.put(_Drop((reason, kind, severity, None), n, None, now_ms))

    def send(self, append: Callable[[Record], bool]) -> None:
        """Append what was counted since the last time; what does not fit waits."""
        self.collect()
        for key, drops in list(self._sums.items()):
            if append(drops):
                del self._sums[key]

    def collect(self) -> None:
        """Sum up what was noted."""
        while True:
            try:
                self._add(self._noted.get_nowait())
            except queue.Empty:
                return

    def _add(self, drop: _Drop) -> None:
        reason, kind, severity, fingerprint = drop.key
        self.totals[reason] += drop.n
        key = drop.key
        if key not in self._sums and len(self._sums) >= MOST_KEYS:
            key, fingerprint = (reason, kind, severity, None), None
        old = self._sums.get(key)
        seqs = [*(old.seqs or () if old else ()), *(() if drop.seq is None else (drop.seq,))]
        self._sums[key] = Drops(
            id=old.id if old else uuid7(drop.at_ms),
            reason=reason,
            kind=kind,
            severity=severity,
            fingerprint=fingerprint,
            n=drop.n + (old.n if old else 0),
            seqs=(min(seqs), max(seqs)) if seqs else None,
            first_at_ms=old.first_at_ms if old else drop.at_ms,
            last_at_ms=drop.at_ms,
        )
