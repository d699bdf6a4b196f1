"""Append to the files of one writer: one `os.write` a frame, no lock that a thread could be caught in."""

import errno
import itertools
import math
import os
import threading
from pathlib import Path
from typing import Final

import msgspec

from otel_guard.core.codec import HEAD, encode
from otel_guard.core.record import Head
from otel_guard.journal.cursor import Position
from otel_guard.journal.handles import LOOKS, Handle, Handles, LostFileError
from otel_guard.journal.segment import SEGMENT_BYTES, VERSION, encode_frame, number_of, segment_name
from otel_guard.runtime.clock import SYSTEM, Clock

LOOKED_BACK: Final = 8
_APPEND: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL


class Writer:
    """The segments of one process; `append` is safe in threads and signal handlers."""

    def __init__(
        self,
        folder: Path,
        head: Head,
        handles: Handles | None = None,
        clock: Clock = SYSTEM,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        """Open the first segment.

        Raises:
            OSError: the disk does not take it.
        """
        self.writer_id = head.writer_id
        self.appended_bytes = 0  # near enough: threads may miss each other
        self._handles = handles or Handles()
        self._clock = clock
        self._folder = folder
        self._head = head
        self._segment_bytes = segment_bytes
        self._frames = itertools.count(1)
        self._head_bytes = 0
        self._turn = threading.Lock()  # only ever tried
        self._handle = self._new_segment(1)
        self._numbers = {self._handle.known[0]: 1}
        self._left_at: dict[int, float] = {}

    def append(self, kind: int, payload: bytes) -> bool:
        """Write one frame; False: it did not fit, not even in a new segment.

        Raises:
            LostFileError: our file was closed or deleted by somebody else.
            OSError: the disk does not take it.
        """
        frame = encode_frame(kind, next(self._frames), payload)
        end = self.end()
        if end.offset + len(frame) > self._segment_bytes:
            self.rotate(end.file)
        if self._write(frame):
            return True
        return self.rotate() and self._write(frame)  # readers skip the torn one

    def rotate(self, only: int | None = None) -> bool:
        """Go on in the next segment; False: another thread is at it or did it (*only*), or the disk takes none."""
        if not self._turn.acquire(blocking=False):
            return False
        try:
            file = self.end().file
            return (only is None or only == file) and self._go_on(file + 1)
        finally:
            self._turn.release()

    def end(self) -> Position:
        """Where the next frame will stand.

        Raises:
            LostFileError: as `append`.
        """
        for _ in range(LOOKS):
            found = self._handle.stat()
            number = self._numbers.get((found.st_dev, found.st_ino))
            if number is not None:  # else other threads went on by several segments meanwhile
                return Position(number, found.st_size)
        raise LostFileError

    def left_for(self, number: int) -> float | None:
        """For how many seconds segment *number* was left; None: it is written to."""
        try:
            if number >= self.end().file:
                return None
        except LostFileError:
            return math.inf
        return self._clock.monotonic() - self._left_at.get(number, 0.0)

    def has_records(self) -> bool:
        """Whether the current segment holds more than its head."""
        return self._handle.stat().st_size > self._head_bytes

    def after(self, offset: int) -> bytes:
        """Return the bytes of the current segment from *offset* on, deleted or not."""
        return os.pread(self._handle.fd, self._segment_bytes * 2, offset)

    def discard(self) -> None:
        """Delete the first segment: the journal could not be opened whole."""
        self._handle.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Close the segment; nothing may be appended after."""
        self._handles.close(self._handle)

    def _write(self, frame: bytes) -> bool:
        written = os.write(self._handle.fd, frame)
        self.appended_bytes += written
        self._handle.stat()  # deleted meanwhile: LostFileError, and the frame goes elsewhere
        return written == len(frame)

    def _go_on(self, number: int) -> bool:
        try:
            new = self._new_segment(number)
        except OSError:
            return False
        try:
            # Before dup2: a thread may look at the number at any moment, and a signal may end us at any line.
            found = self._handle.stat()
            current = (found.st_dev, found.st_ino)
            known = (new.known[0], current, *self._handle.known)[:LOOKED_BACK]  # a thread may be a few turns behind
            numbers = {**self._numbers, new.known[0]: number_of(new.path)}
            self._numbers = {identity: numbers[identity] for identity in known}
            self._handle.known = known
            self._left_at[numbers[current]] = self._clock.monotonic()
            os.dup2(new.fd, self._handle.fd, inheritable=False)
        finally:
            self._handles.close(new)
        return True

    def _new_segment(self, number: int) -> Handle:
        """Open segment *number*, or the first after it that does not exist, with its head written."""
        while True:
            path = self._folder / segment_name(self.writer_id, number)
            try:
                handle = self._handles.open(path, _APPEND)
                break
            except FileExistsError:
                number += 1  # left by a signal that ended an earlier try
        head = msgspec.structs.replace(self._head, version=VERSION, number=number)
        frame = encode_frame(HEAD, next(self._frames), encode(head))
        try:
            _write_whole(handle, frame)
        except BaseException:
            self._handles.close(handle)
            path.unlink(missing_ok=True)
            raise
        self._head_bytes = len(frame)
        return handle


def _write_whole(handle: Handle, frame: bytes) -> None:
    if os.write(handle.fd, frame) != len(frame):
        raise OSError(errno.ENOSPC, f"{handle.path.name} could not be written whole")
