"""Read one writer's segments in order, past whatever is damaged."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from otel_guard.core.codec import HEAD, decode, decode_head
from otel_guard.core.record import Head, Record
from otel_guard.journal.cursor import Position
from otel_guard.journal.handles import Handle, Handles
from otel_guard.journal.quarantine import QuarantineFolder
from otel_guard.journal.segment import VERSION, Frame, scan, segment_name, segments_of

READ_BYTES: Final = 1024 * 1024
SETTLE_S: Final = 2.0  # for threads that were writing when their segment was left


class Entry(Struct):
    """A record, and where the next one starts."""

    record: Record
    end: Position
    is_done: bool = False


class Reader:
    """Where one sink reads in one journal; used by that sink's thread."""

    def __init__(
        self,
        handles: Handles,
        folder: Path,
        head: Head,
        start: Position | None,
        *,
        left_for: Callable[[int], float | None],
        quarantine: QuarantineFolder,
    ) -> None:
        """*head* holds where a segment's own is lost; *left_for*: seconds since a segment was left, None: it is not."""
        self.head = head
        self.look_again_s: float | None = 0.0  # when there may be more without an append; None: not before one
        self.is_exhausted = False  # a dead writer's: all was read
        self._handles = handles
        self._folder = folder
        self._left_for = left_for
        self._quarantine = quarantine
        self._handle: Handle | None = None
        self.position = self._valid(start)

    def read(self, most: int) -> Sequence[Entry]:
        """Return up to *most* entries of one segment; none: nothing new, or the end of the segment."""
        before = self.position
        entries = self._read(most)
        self.look_again_s = 0.0 if entries or self.position != before else self._settles_in()
        return entries

    def skip_to(self, file: int) -> None:
        """Go on in segment *file*."""
        self.close()
        self.position = Position(file, 0, self.position.frame)

    def close(self) -> None:
        """Close the segment."""
        handle, self._handle = self._handle, None
        if handle is not None:
            self._handles.close(handle)

    def _read(self, most: int) -> Sequence[Entry]:
        handle = None if self.is_exhausted else self._opened()
        if handle is None:
            return ()
        is_left = self._is_left()  # before reading: what is appended in between is read the next time
        offset = self.position.offset
        data = os.pread(handle.fd, READ_BYTES, offset)
        is_end = offset + len(data) >= os.fstat(handle.fd).st_size
        found = scan(data, is_left=is_left, is_end=is_end)
        has_head = bool(found.frames) and found.frames[0].kind == HEAD
        frames = found.frames[: most + has_head]
        used = frames[-1].end if len(frames) < len(found.frames) else found.used
        for start, end in found.damage:
            if end <= used:
                self._put_damage(offset + start, data[start:end], "the bytes are no frame")
        entries: list[Entry] = []
        for frame in frames:
            entry = self._entry(frame, offset)
            if self._handle is not handle:  # a segment of an unknown version
                return entries
            if entry is not None:
                entries.append(entry)
        self.position = Position(self.position.file, offset + used, self.position.frame)
        if not frames and is_left and is_end:
            self._go_on()
        return entries

    def _entry(self, frame: Frame, offset: int) -> Entry | None:
        """Return the record of *frame*; None for a head and for what cannot be read."""
        self.position = Position(self.position.file, offset + frame.end, frame.number)
        try:
            if frame.kind == HEAD:
                self._take_head(decode_head(frame.payload))
                return None
            return Entry(decode(frame.kind, frame.payload), self.position)
        except (KeyError, msgspec.DecodeError) as error:
            self._put_damage(offset + frame.start, frame.payload, f"frame of kind {frame.kind}: {error}")
            return None

    def _take_head(self, head: Head) -> None:
        if head.version == VERSION:
            self.head = head
            return
        path = self._folder / segment_name(self.head.writer_id, self.position.file)
        self._quarantine.put_file(path, f"a segment of version {head.version}; this release reads {VERSION}")
        self._go_on()

    def _put_damage(self, offset: int, data: bytes, why: str) -> None:
        self._quarantine.put_damage(f"{self.head.writer_id}-{self.position.file:06}-{offset}", data, why)

    def _opened(self) -> Handle | None:
        if self._handle is not None and not self._handle.is_still_ours():
            self.close()
        while self._handle is None and not self.is_exhausted:
            path = self._folder / segment_name(self.head.writer_id, self.position.file)
            try:
                self._handle = self._handles.open(path, os.O_RDONLY)
            except FileNotFoundError:  # all other sinks passed it, or it is in quarantine
                if not self._go_on():
                    return None
        return self._handle

    def _go_on(self) -> bool:
        """Turn to the next segment; False: there is none."""
        following = [number for number in segments_of(self._folder, self.head.writer_id) if number > self.position.file]
        if following:
            self.close()
            self.position = Position(following[0], 0, self.position.frame)
        elif self._is_left():
            self.close()
            self.is_exhausted = True
        return bool(following)

    def _is_left(self) -> bool:
        seconds = self._left_for(self.position.file)
        return seconds is not None and seconds >= SETTLE_S

    def _settles_in(self) -> float | None:
        seconds = self._left_for(self.position.file)
        return None if seconds is None or self.is_exhausted else max(SETTLE_S - seconds, 0.0)

    def _valid(self, start: Position | None) -> Position:
        """*start*, or the oldest segment if that is not in this journal."""
        numbers = segments_of(self._folder, self.head.writer_id)
        oldest = Position(numbers[0] if numbers else 1, 0)
        if start is None or start.file not in numbers:
            return oldest
        size = (self._folder / segment_name(self.head.writer_id, start.file)).stat().st_size
        return start if start.offset <= size else oldest
