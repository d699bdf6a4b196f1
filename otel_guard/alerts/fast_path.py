"""Critical errors become incidents and messages at once, on their way from the journal."""

import os
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final

from otel_guard.alerts.courier import Courier
from otel_guard.alerts.direct import Direct
from otel_guard.alerts.incidents import Incidents
from otel_guard.alerts.recognition import Recognition, merged
from otel_guard.core.delivery import Batch, Delivered
from otel_guard.core.exceptions import SchemaError, StoreUnavailableError
from otel_guard.core.incident import Opening
from otel_guard.runtime.clock import Clock
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.runtime.suppression import sending
from otel_guard.store.ask import Database
from otel_guard.store.errors import RecordRefusedError

WAIT_S: Final = 3.0  # a hanging Slack does not hold the journal up
AGAIN_S: Final = 5.0
MOST: Final = 1000
Transaction = Callable[[], AbstractContextManager[Database]]


class FastPath:
    """A sink that opens `critical_error` and delivers; it works in a thread of its own that lives for the work alone."""

    def __init__(
        self,
        incidents: Incidents,
        courier: Courier,
        transaction: Transaction,
        direct: Direct,
        clock: Clock,
        *,
        failsafe: Failsafe,
        is_on: bool = True,
        tend: Callable[[], None] = lambda: None,
    ) -> None:
        """*transaction* and *courier* are used by one thread at a time; *tend* is called between two works.

        *is_on* False: the rule `critical_error` is off, only what is `put` here opens incidents.
        """
        self._incidents = incidents
        self._courier = courier
        self._transaction = transaction
        self._direct = direct
        self._clock = clock
        self._failsafe = failsafe
        self._tend_store = tend
        self._is_on = is_on
        self._put: queue.SimpleQueue[Opening] = queue.SimpleQueue()
        self._recognition = Recognition()
        self._pending: dict[str, Opening] = {}
        self._thread: threading.Thread | None = None
        self._not_before = clock.monotonic()
        self._pid = os.getpid()
        self.dropped = 0  # openings that found no room while Slack or Postgres hung

    @property
    def late(self) -> int:
        """How many failures were older than an hour when they came: counted, not alerted."""
        return self._recognition.late

    def put(self, opening: Opening) -> None:
        """Open *opening* within some seconds; from any thread."""
        self._put.put(opening)

    def deliver(self, batch: Batch) -> Delivered:
        """Alert of what may not wait; within 3 s, what takes longer goes on behind."""
        self._see_fork()
        self._take_put()
        if self._is_on:
            for opening in self._recognition.openings(batch, self._clock.now_ms()):
                self._add(opening)
        if self._pending:
            self._work()
        return Delivered()

    def tend(self) -> None:
        """Each few seconds: go on with what waits for Postgres or for the thread."""
        self._see_fork()
        self._take_put()
        if self._is_working():
            return
        if self._pending or self._direct.waiting:
            self._work()
        else:
            self._tend_store()

    def close(self) -> None:
        """Let the work end for up to 3 s."""
        if self._thread is not None:
            self._thread.join(WAIT_S)

    def _take_put(self) -> None:
        while not self._put.empty():
            self._add(self._put.get())

    def _add(self, opening: Opening) -> None:
        known = self._pending.get(opening.dedup_key)
        if known is not None:
            self._pending[opening.dedup_key] = merged(known, opening)
        elif len(self._pending) < MOST:
            self._pending[opening.dedup_key] = opening
        else:
            self.dropped += opening.occurrences

    def _work(self) -> None:
        until = self._clock.monotonic() + WAIT_S
        if self._thread is not None:
            self._thread.join(WAIT_S)
            if self._is_working():
                return
        taken, self._pending = self._pending, {}
        openings = [taken[key] for key in sorted(taken)]  # in one order in all processes: no deadlock
        self._thread = threading.Thread(target=self._run, args=(openings,), name="otel-guard-alert", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no new thread at the interpreter's end
            self._thread = None
            self._run(openings)
        else:
            self._thread.join(max(until - self._clock.monotonic(), 0.0))

    def _run(self, openings: Sequence[Opening]) -> None:
        with self._failsafe("alerts.fast_path"), sending():
            if (ids := self._open(openings)) is not None:
                self._tell(ids)
                return
            for opening in openings:
                self._direct.send(opening)

    def _open(self, openings: Sequence[Opening]) -> list[str] | None:
        """Open them, and what was told directly before; whom nobody was told of yet. None: Postgres is away."""
        if self._clock.monotonic() < self._not_before:
            return None
        try:
            with self._transaction() as database:
                untold = list(self._direct.back_fill(self._incidents, database))
                opened = [self._incidents.open(database, opening) for opening in openings]
        except (StoreUnavailableError, SchemaError):
            self._not_before = self._clock.monotonic() + AGAIN_S
            return None
        except RecordRefusedError:  # nothing that comes again would be taken
            self.dropped += self._direct.waiting + len(openings)
            self._direct.forget()
            return None
        self._direct.forget()
        return untold + [each.id for each in opened if each.is_new]

    def _tell(self, ids: Sequence[str]) -> None:
        """Deliver each; a row that is not sent now is the monitor's to send."""
        for incident_id in ids:
            try:
                self._courier.deliver(incident_id=incident_id)
            except (StoreUnavailableError, SchemaError, RecordRefusedError):
                return

    def _is_working(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _see_fork(self) -> None:
        """In a child: what waits is the parent's."""
        if self._pid != os.getpid():
            self._pid, self._thread = os.getpid(), None
            self._pending.clear()
            self._put = queue.SimpleQueue()
            self._direct.forget()
