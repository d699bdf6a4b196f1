"""Where records wait while no disk takes them: a bounded list, read like a segment."""

import threading
from collections.abc import Collection, Sequence
from typing import Final

from otel_guard.core.record import Head, Record
from otel_guard.journal.cursor import Position
from otel_guard.journal.reader import Entry

RING_BYTES: Final = 8 * 1024 * 1024


class Ring:
    """Records in memory; `append` takes no lock."""

    def __init__(self, sinks: Collection[str], limit_bytes: int = RING_BYTES) -> None:
        """Records go once all of *sinks* have passed them."""
        self.limit_bytes = limit_bytes
        self.size_bytes = 0  # near enough between two trims
        self._records: list[tuple[int, Record]] = []
        self._base = 0  # how many went already
        self._passed = dict.fromkeys(sinks, 0)
        self._trims = threading.Lock()  # of `_base` and the front of `_records`; never taken by the application

    def append(self, size: int, record: Record) -> None:
        """Add *record*; whether it fits is asked before, by `fill`."""
        self._records.append((size, record))
        self.size_bytes += size

    @property
    def fill(self) -> float:
        """How full it is, from 0 to 1."""
        return self.size_bytes / self.limit_bytes

    @property
    def end(self) -> Position:
        """Where the next record will stand."""
        return Position(0, self._base + len(self._records))

    def read(self, offset: int, most: int) -> tuple[int, Sequence[Record]]:
        """Return up to *most* records from *offset* on, or from the oldest, and where that is."""
        with self._trims:
            start = max(offset, self._base)
            found = self._records[start - self._base : start - self._base + most]
        return start, [record for _, record in found]

    def passed(self, sink: str, offset: int) -> None:
        """Note that *sink* has passed everything before *offset*."""
        with self._trims:
            self._passed[sink] = offset
            self._drop(min(self._passed.values()) - self._base)

    def first(self, most: int) -> Sequence[tuple[int, Record]]:
        """Return the oldest records with their sizes, to be moved to disk."""
        with self._trims:
            return self._records[:most]

    def moved(self, count: int) -> None:
        """Forget the oldest *count* records: they are on disk."""
        with self._trims:
            self._drop(count)

    def _drop(self, count: int) -> None:
        if count > 0:
            del self._records[:count]
            self._base += count
            self.size_bytes = sum(size for size, _ in self._records)


class RingReader:
    """Where one sink reads in the ring."""

    def __init__(self, ring: Ring, head: Head) -> None:
        self.head = head
        self.is_exhausted = False
        self.look_again_s: float | None = None
        self.position = Position(0, 0)
        self._ring = ring

    def read(self, most: int) -> Sequence[Entry]:
        """Return up to *most* records."""
        start, records = self._ring.read(self.position.offset, most)
        self.position = Position(0, start + len(records))
        return [Entry(record, Position(0, start + number)) for number, record in enumerate(records, 1)]

    def skip_to(self, file: int) -> None:
        """There is no other segment."""

    def close(self) -> None:
        """Nothing is open."""


class RingMark:
    """One sink's cursor in the ring."""

    def __init__(self, ring: Ring, sink: str) -> None:
        self._ring = ring
        self._sink = sink

    def store(self, position: Position) -> None:
        """Remember *position*."""
        self._ring.passed(self._sink, position.offset)

    def close(self) -> None:
        """Nothing is open."""
