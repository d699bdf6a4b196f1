"""One sink's way through one journal: what it was given, what is settled, what was set aside."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final, Protocol

from otel_guard.core.codec import KINDS, encode
from otel_guard.core.record import Amendment, Head
from otel_guard.journal.cursor import Position
from otel_guard.journal.quarantine import QuarantineFolder
from otel_guard.journal.reader import Entry
from otel_guard.journal.segment import encode_frame

BATCH: Final = 500


class Reads(Protocol):
    """A journal's file or ring, as one sink reads it."""

    head: Head
    position: Position
    is_exhausted: bool
    look_again_s: float | None

    def read(self, most: int) -> Sequence[Entry]:
        """Return what comes next."""
        ...

    def skip_to(self, file: int) -> None:
        """Go on in segment *file*."""
        ...

    def close(self) -> None:
        """Close what is open."""
        ...


class Keeps(Protocol):
    """A cursor."""

    def store(self, position: Position) -> None:
        """Remember *position*."""
        ...

    def close(self) -> None:
        """Close what is open."""
        ...


class Reading:
    """Used by its sink's thread; others only look at `passed` and `is_over`, and say `give_up`."""

    def __init__(self, reads: Reads, keeps: Keeps, quarantine: QuarantineFolder, *, is_own: bool) -> None:
        self.is_own = is_own
        self.passed = reads.position
        self.is_over = False  # closed: everything was read, or given up
        self.not_before = 0.0  # monotonic; by the sink's own wish
        self.linger_until = 0.0
        self.settled = 0  # records, the ones set aside too
        self._is_given_up = False
        self._skip_to = 0
        self._reads = reads
        self._keeps = keeps
        self._quarantine = quarantine
        self._entries: list[Entry] = []

    @property
    def head(self) -> Head:
        """Who wrote what waits."""
        return self._reads.head

    @property
    def look_again_s(self) -> float | None:
        """When there may be more, without an append; None: not before one."""
        return self._reads.look_again_s

    @property
    def waiting(self) -> list[Entry]:
        """What was read and is not settled."""
        return [entry for entry in self._entries if not entry.is_done]

    @property
    def is_full(self) -> bool:
        """Whether a batch is complete."""
        return len(self._entries) >= BATCH

    def fill(self) -> list[Entry]:
        """Read on, up to one batch of one segment, and return what waits."""
        if self._reads.position.file < self._skip_to:
            self._entries.clear()
            self._reads.skip_to(self._skip_to)
        if not self._is_given_up and not self.is_full and self._is_within_segment():
            self._entries += self._reads.read(BATCH - len(self._entries))
            self._move()
        if self._is_given_up or (self._reads.is_exhausted and not self._entries):
            self.close()
        return self.waiting

    def settle(self, count: int) -> None:
        """Note that the first *count* that waited are where they belong."""
        for entry in self.waiting[:count]:
            entry.is_done = True
        self.settled += count
        self._move()

    def set_aside(self, ids: AbstractSet[str], why: str) -> int:
        """Put the records *ids* into quarantine and return how many; of several of one id (amendments) the last."""
        found = {entry.record.id: entry for entry in self.waiting if entry.record.id in ids}
        for entry in found.values():
            record = entry.record
            name = f"{record.id}-{entry.end.frame}" if isinstance(record, Amendment) else record.id
            self._quarantine.put_record(name, encode_frame(KINDS[type(record)], entry.end.frame, encode(record)), why)
            entry.is_done = True
        self.settled += len(found)
        self._move()
        return len(found)

    def give_up(self) -> None:
        """Let go of the rest, at its thread's next step."""
        self._is_given_up = True

    def skip_to(self, file: int) -> None:
        """Go on in segment *file*, at its thread's next step: the ones before it are deleted."""
        self._skip_to = file

    def close(self) -> None:
        """Close files; what waits stays for the next reader."""
        self.is_over = True
        self._entries.clear()
        self._reads.close()
        self._keeps.close()

    def _is_within_segment(self) -> bool:
        return not self._entries or self._entries[-1].end.file == self._reads.position.file

    def _move(self) -> None:
        """Let the cursor follow."""
        count = next((at for at, entry in enumerate(self._entries) if not entry.is_done), len(self._entries))
        position = self.passed
        if count:
            position = self._entries[count - 1].end
            del self._entries[:count]
        if not self._entries:
            position = self._reads.position
        if position != self.passed:
            self._keeps.store(position)  # before anybody may see it and unlink what it passed
            self.passed = position
