"""The files of one writer: opened for each sink, deleted once they were passed."""

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from otel_guard.core.record import Head
from otel_guard.journal.counting import Counted, count_after, count_segment, cursor_of, end_of
from otel_guard.journal.cursor import Cursor, Position
from otel_guard.journal.handles import Handles
from otel_guard.journal.owner import Owner, OwnerNote
from otel_guard.journal.pump import Pump
from otel_guard.journal.quarantine import QuarantineFolder
from otel_guard.journal.reader import Reader
from otel_guard.journal.reading import Reading
from otel_guard.journal.segment import VERSION, cursor_name, segment_name, segments_of
from otel_guard.runtime.clock import Clock

Skipped = Callable[[str, Counted], None]  # reason, what a sink did not get


class Patience(Struct, frozen=True):
    """How long segments wait for the sinks that are not durable."""

    now_ms: int
    is_crowded: bool  # they hold more than their share of the quota


class Parts(Struct, frozen=True, kw_only=True):
    """What every journal of a folder is read with."""

    folder: Path
    handles: Handles
    pumps: Mapping[str, Pump]
    quarantine: QuarantineFolder
    clock: Clock
    skipped: Skipped


class JournalFiles:
    """One writer's journal; used by the scheduler's thread, its readings by their sinks'."""

    def __init__(
        self, parts: Parts, owner: Owner, writer_id: str, *, left_for: Callable[[int], float | None], is_own: bool
    ) -> None:
        """Open it for each sink; *left_for* tells for how many seconds a segment was left, None: it is not."""
        self.writer_id = writer_id
        self.owner = owner
        self._parts = parts
        self._left_for = left_for
        self.readings = {name: self._reading(name, is_own=is_own) for name in parts.pumps}
        if not is_own:
            self._pass_over_missing_sinks()
        for name, pump in parts.pumps.items():
            pump.add(self.readings[name])

    @property
    def is_over(self) -> bool:
        """Whether every sink is through with it."""
        return bool(self.readings) and all(reading.is_over for reading in self.readings.values())

    def has_passed(self, name: str, target: Position) -> bool:
        """Whether the sink *name* has passed *target*."""
        reading = self.readings[name]
        return reading.is_over or (reading.passed.file, reading.passed.offset) >= (target.file, target.offset)

    def tidy(self, patience: Patience) -> None:
        """Delete the segments that each durable sink has passed, once the others had their time."""
        if not self.readings:  # no sink yet: all waits for a process that has one
            return
        numbers = segments_of(self._parts.folder, self.writer_id)
        for number in numbers:
            behind = [name for name, reading in self.readings.items() if not _is_past(reading, number)]
            if self._left_for(number) is None or not all(self._is_late(at, number, patience) for at in behind):
                return
            path = self._parts.folder / segment_name(self.writer_id, number)
            for name in behind:
                self._skip(self.readings[name], path, number, is_last=number == numbers[-1])
            path.unlink(missing_ok=True)

    def laggard_bytes(self) -> int:
        """How much waits only for sinks that are not durable."""
        durable = [self.readings[name] for name, pump in self._parts.pumps.items() if pump.spec.durable]
        numbers = segments_of(self._parts.folder, self.writer_id)
        passed = [number for number in numbers if all(_is_past(reading, number) for reading in durable)]
        return sum(_size(self._parts.folder / segment_name(self.writer_id, number)) for number in passed)

    def close(self) -> None:
        """Delete it if every sink is through, else leave it to others; after its sinks' threads have stopped."""
        if self.is_over:
            self.remove()
            return
        for reading in self.readings.values():
            reading.close()
        self.owner.release()

    def remove(self) -> None:
        """Delete what is left, `.own` last."""
        for path in self._parts.folder.glob(f"{self.writer_id}*"):
            if path.suffix in {".seg", ".cur"}:
                path.unlink(missing_ok=True)
        self.owner.remove()

    def _reading(self, name: str, *, is_own: bool) -> Reading:
        parts = self._parts
        cursor = Cursor(parts.handles, parts.folder / cursor_name(self.writer_id, name))
        reader = Reader(
            parts.handles,
            parts.folder,
            head_of(self.writer_id, self.owner.note),
            cursor.load(),
            left_for=self._left_for,
            quarantine=parts.quarantine,
        )
        if is_own:
            cursor.store(reader.position)  # now: a full disk takes no new file
        return Reading(reader, cursor, parts.quarantine, is_own=is_own)

    def _pass_over_missing_sinks(self) -> None:
        """A sink of the dead process that we don't have, such as Sentry in a monitor: count what it does not get."""
        folder = self._parts.folder
        for sink in sorted(set(self.owner.note.sinks) - set(self._parts.pumps)):
            self._parts.skipped(
                f"no_{sink}", count_after(folder, self.writer_id, cursor_of(folder, self.writer_id, sink))
            )
            cursor = Cursor(self._parts.handles, folder / cursor_name(self.writer_id, sink))
            cursor.store(end_of(folder, self.writer_id))  # so that the next adopter counts nothing twice
            cursor.close()

    def _skip(self, reading: Reading, path: Path, number: int, *, is_last: bool) -> None:
        offset = reading.passed.offset if reading.passed.file == number else 0
        self._parts.skipped("lag", count_segment(path, offset))
        if is_last:
            reading.give_up()
        else:
            reading.skip_to(number + 1)

    def _is_late(self, name: str, number: int, patience: Patience) -> bool:
        """Whether the sink *name* has had its time for segment *number*; a durable one never has."""
        spec = self._parts.pumps[name].spec
        if spec.durable or spec.max_lag_s is None:
            return False
        path = self._parts.folder / segment_name(self.writer_id, number)
        age_ms = patience.now_ms - path.stat().st_mtime_ns // 1_000_000
        return patience.is_crowded or age_ms > spec.max_lag_s * 1000


def head_of(writer_id: str, note: OwnerNote) -> Head:
    """Return what holds for a journal whose own heads are lost."""
    return Head(
        version=VERSION,
        writer_id=writer_id,
        number=1,
        service=note.service,
        environment=note.environment,
        release=note.release,
        host=note.host,
    )


def _is_past(reading: Reading, number: int) -> bool:
    return reading.is_over or reading.passed.file > number


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
