"""The way out: one thread a sink, over this process's journal, its memory, and those it adopted."""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from otel_guard.core.record import Head
from otel_guard.journal.adoption import MOST_AT_ONCE, adopt
from otel_guard.journal.cursor import Position
from otel_guard.journal.dropped import Dropped
from otel_guard.journal.files import JournalFiles, Parts, Patience
from otel_guard.journal.handles import Handles
from otel_guard.journal.memory import Ring, RingMark, RingReader
from otel_guard.journal.owner import Owner
from otel_guard.journal.place import waiting_room
from otel_guard.journal.pump import Pump
from otel_guard.journal.quarantine import QuarantineFolder
from otel_guard.journal.quota import Quota
from otel_guard.journal.reading import Reading
from otel_guard.journal.setup import Setup
from otel_guard.journal.writer import Writer
from otel_guard.runtime.worker import Worker

LAGGARD_SHARE: Final = 0.25  # of the quota that may wait for sinks that are not durable alone


class Outflow:
    """Used by the scheduler's thread, but for `wake`, `take_own` and what it shows."""

    def __init__(self, setup: Setup, handles: Handles, ring: Ring, head: Head, dropped: Dropped) -> None:
        self.pumps = {
            name: Pump(name, spec, clock=setup.clock, failsafe=setup.failsafe) for name, spec in setup.sinks.items()
        }
        self.quarantine = QuarantineFolder(setup.folder)
        self.own: JournalFiles | None = None
        self.adopted = 0
        self._setup = setup
        self._handles = handles
        self._journals: list[JournalFiles] = []
        self._workers = {name: Worker(name, pump.step, failsafe=setup.failsafe) for name, pump in self.pumps.items()}
        self._ring_readings = {
            name: Reading(RingReader(ring, head), RingMark(ring, name), self.quarantine, is_own=True)
            for name in self.pumps
        }
        for name, pump in self.pumps.items():
            pump.add(self._ring_readings[name])
        self._parts = (
            None
            if setup.folder is None
            else Parts(
                folder=setup.folder,
                handles=handles,
                pumps=self.pumps,
                quarantine=self.quarantine,
                clock=setup.clock,
                skipped=dropped.note_errors,
            )
        )

    def start(self) -> bool:
        """Start the threads; False: this process has none (uwsgi), others deliver."""
        try:
            for worker in self._workers.values():
                worker.start()
        except RuntimeError:
            return False
        return True

    def wake(self) -> None:
        """Say that there is something new; re-entrant."""
        for name, pump in self.pumps.items():
            if pump.is_idle:
                pump.is_idle = False
                self._workers[name].wake()

    def take_own(self, writer: Writer, owner: Owner) -> None:
        """Deliver what *writer* appends."""
        if self._parts is None:
            return
        own = JournalFiles(self._parts, owner, writer.writer_id, left_for=writer.left_for, is_own=True)
        self._journals.append(own)
        self.own = own
        self.poke()

    def poke(self) -> None:
        """Have each sink look at once."""
        for worker in self._workers.values():
            worker.wake()

    def adopt(self) -> bool:
        """Take over the journals of dead processes; False: there may be more than fit at once."""
        if self._parts is None or self.own is None:
            return True
        most = MOST_AT_ONCE - (len(self._journals) - 1)
        known = [journal.writer_id for journal in self._journals]
        found: list[JournalFiles] = []
        for parts in self._places():
            found += adopt(parts, known, most - len(found))
        self._journals += found
        self.adopted += len(found)
        if found:
            self.poke()
        return len(found) < most

    def _places(self) -> Iterator[Parts]:
        """This target's folder, and where the service's records waited for a DSN that can be read."""
        if self._parts is None or not self.pumps:
            return
        yield self._parts
        room = waiting_room(self._parts.folder)
        if room is not None and room.is_dir():
            yield msgspec.structs.replace(self._parts, folder=room)

    def tidy(self, quota: Quota) -> None:
        """Delete what was passed."""
        share = quota.limit_bytes * LAGGARD_SHARE
        crowd = sum(journal.laggard_bytes() for journal in self._journals) if quota.used_bytes > share else 0
        patience = Patience(self._setup.clock.now_ms(), is_crowded=crowd > share)
        for journal in list(self._journals):
            journal.tidy(patience)
            if journal.is_over:
                self._journals.remove(journal)
                journal.remove()

    def hurry(self, *, on: bool) -> None:
        """Deliver without waiting for more."""
        for pump in self.pumps.values():
            pump.hurry(on=on)
        self.poke()

    def has_passed(self, target: Position | None, in_memory: Position, *, is_durable_enough: bool) -> bool:
        """Whether the sinks have passed *target* of this process's journal, and memory up to *in_memory*."""
        own = self.own
        return all(
            self._ring_readings[name].passed >= in_memory
            and (own is None or target is None or own.has_passed(name, target))
            for name, pump in self.pumps.items()
            if pump.spec.durable or not is_durable_enough
        )

    def stop(self, seconds: Callable[[], float]) -> bool:
        """Stop the threads; False: one is still at it."""
        stopped = [worker.stop(max(seconds(), 0.0)) for worker in self._workers.values()]  # all, though one is caught
        return all(stopped)

    def release(self, end: Position | None) -> bool:
        """After `stop`: delete what every sink passed, leave the rest to others; whether our own (to *end*) went."""
        own = self.own
        is_passed = own is not None and end is not None and bool(self.pumps)
        is_passed = is_passed and all(own is None or end is None or own.has_passed(name, end) for name in self.pumps)
        over = [journal for journal in self._journals if journal.is_over or (journal is own and is_passed)]
        for pump in self.pumps.values():
            pump.close()
        for journal in self._journals:
            if journal in over:
                journal.remove()
            else:
                journal.owner.release()
        self._journals.clear()
        self.own = None
        return is_passed
