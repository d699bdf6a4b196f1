"""A journal within one process: from its first append to its end; a fork starts another."""

import os
import threading
from collections.abc import Sequence
from typing import Final

from otel_guard.core.codec import HEAD, decode
from otel_guard.journal.cursor import Position
from otel_guard.journal.dropped import Dropped
from otel_guard.journal.handles import Handles, LostFileError, close_inherited
from otel_guard.journal.intake import Intake
from otel_guard.journal.memory import Ring
from otel_guard.journal.outflow import Outflow
from otel_guard.journal.owner import OwnerNote, machine, started
from otel_guard.journal.segment import scan
from otel_guard.journal.setup import Setup, head_of
from otel_guard.journal.upkeep import Callback, Upkeep
from otel_guard.journal.writer import Writer

POLL_S: Final = 0.005
STOP_S: Final = 0.1  # a thread that is not caught in its sink ends at once
IN_FLIGHT_S: Final = 0.02  # an append that had begun when we stopped using its file


class Life:
    """The parts of one process's journal."""

    def __init__(self, setup: Setup, callbacks: Sequence[Callback]) -> None:
        """Open nothing yet."""
        self.pid = os.getpid()
        self.is_closed = False
        self._setup = setup
        self._handles = Handles()
        self.dropped = Dropped(setup.clock)
        ring = Ring(setup.sinks)
        self.ring = ring
        self.intake = Intake(setup, self._handles, ring, self.dropped, self._note())
        self.outflow = Outflow(setup, self._handles, ring, head_of(setup, self.intake.writer_id), self.dropped)
        self.upkeep = Upkeep(setup, self.intake, self.outflow, ring, self.dropped, callbacks)
        self.intake.on_open = self.outflow.take_own
        self.intake.on_append = self.outflow.wake
        self._starting = threading.Lock()
        self.is_started = False

    def start(self) -> None:
        """Open the files and start the threads, once; where there can be none, others deliver."""
        if self.is_started or self.is_closed or not self._starting.acquire(blocking=False):
            return
        try:
            if not self.is_started:
                self.is_started = True
                self.intake.open()
                if self.outflow.start():
                    self.upkeep.start()
        finally:
            self._starting.release()

    def flush(self, timeout_s: float, *, is_durable_enough: bool) -> bool:
        """Whether the sinks passed all that was appended before."""
        clock = self._setup.clock
        until = clock.monotonic() + timeout_s
        self.upkeep.call_all(timeout_s)
        if not self._setup.sinks:
            return False
        target, in_memory = self._end(), self.ring.end
        self.outflow.hurry(on=True)
        try:
            while not self.outflow.has_passed(target, in_memory, is_durable_enough=is_durable_enough):
                if clock.monotonic() >= until or not self.is_started:
                    return False
                clock.sleep(POLL_S)
        finally:
            self.outflow.hurry(on=False)
        return True

    def close(self, timeout_s: float) -> None:
        """Deliver up to *timeout_s*, stop, leave the rest on disk; appends after it are kept for others."""
        if self.is_closed:
            return
        clock = self._setup.clock
        until = clock.monotonic() + timeout_s
        self.flush(timeout_s, is_durable_enough=False)
        self.is_closed = True

        def left_s() -> float:
            return max(until - clock.monotonic(), STOP_S)

        is_stopped = self.upkeep.stop(left_s()) & self.outflow.stop(left_s)
        if not is_stopped:
            return  # a thread is caught in its sink: its files, and our lock, stay until the process ends
        writer = self.intake.writer
        if writer is not None:
            self.intake.leave(writer)
            clock.sleep(IN_FLIGHT_S)
        end = self._end_of(writer)
        if self.outflow.release(end) and writer is not None and end is not None:
            self._keep_latecomers(writer, end)

    def abandon(self) -> None:
        """In a forked child: close what was inherited; the parent goes on."""
        self._handles.close_all()
        if self._setup.folder is not None:
            close_inherited(self._setup.folder)

    def _end(self) -> Position | None:
        return self._end_of(self.intake.writer)

    def _end_of(self, writer: Writer | None) -> Position | None:
        try:
            return writer.end() if writer is not None else None
        except LostFileError:
            return None

    def _keep_latecomers(self, writer: Writer, end: Position) -> None:
        """What was appended between our last look and the deletion goes into a journal of its own."""
        for frame in scan(writer.after(end.offset), is_left=True, is_end=True).frames:
            if frame.kind != HEAD:
                self.intake.append(decode(frame.kind, frame.payload))

    def _note(self) -> OwnerNote:
        setup = self._setup
        return OwnerNote(
            service=setup.service,
            environment=setup.environment,
            release=setup.release,
            host=setup.host,
            sinks=tuple(setup.sinks),
            pid=self.pid,
            machine=machine(),
            started=started(self.pid),
        )
