"""The monitor as a daemon: leads or waits, judges, delivers each second, ends on a signal."""

import queue
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from otel_guard.core.exceptions import OtelGuardError, SchemaError, StoreUnavailableError
from otel_guard.monitor.building import Built
from otel_guard.monitor.cycle import Done
from otel_guard.monitor.failing import said
from otel_guard.monitor.lease import RENEW_S
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.runtime.worker import Worker

DELIVER_S: Final = 1.0
TRY_S: Final = 5.0  # of one that does not lead, or has no Postgres
LATE_S: Final = 20.0  # a message under way takes at most 10 s
SAID_EACH_S: Final = 60.0
Say = Callable[[str], None]


class Daemon:
    """Runs until `stop`; a second one waits until the first is gone."""

    def __init__(self, built: Built, say: Say, shown: Callable[[Done, int, int], None]) -> None:
        """*shown* gets each cycle, with the messages sent and failed since the last."""
        self._built = built
        self._say = say
        self._shown = shown
        self._is_ending = False
        self._wakes: queue.SimpleQueue[None] = queue.SimpleQueue()  # re-entrant: a signal handler puts
        self._counts: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
        self._leads = False
        self._trouble: OtelGuardError | None = None
        self._heard: object = None  # what the lease's thread told the main one last
        self._said_at = -SAID_EACH_S
        failsafe = Failsafe()
        self._lease_worker = Worker("lease", self._renew, failsafe=failsafe)
        self._delivery = Worker("delivery", self._deliver, failsafe=failsafe)

    def run(self) -> None:
        """Work until `stop` is called, from a signal handler for instance."""
        self._lease_worker.start()
        self._delivery.start()
        while not self._is_ending:
            wait_s = self._step()
            with suppress(queue.Empty):
                self._wakes.get(timeout=max(wait_s, 0.01))
        self._lease_worker.stop(RENEW_S)
        self._give_back()
        self._delivery.stop(LATE_S)
        self._built.close()

    def stop(self) -> None:
        """Give the lease back, and end after the statement that is under way; safe in signal handlers."""
        self._is_ending = True
        self._lease_worker.wake()
        self._wakes.put(None)

    def _step(self) -> float:
        if self._trouble is not None:
            self._is_away(self._trouble)
            return TRY_S
        if not self._leads and not self._built.away.is_away:
            return SAID_EACH_S  # woken when that changes
        began = SYSTEM.monotonic()
        try:
            if self._built.served():
                self._say("Postgres answers again")
            if self._leads:
                self._cycle()
        except _EndedError:
            return 0.0
        except (StoreUnavailableError, SchemaError) as error:
            self._is_away(error)
            return TRY_S
        except Exception as error:
            self._say_seldom(f"the cycle failed ({type(error).__name__}: {said(error)}); the next one tries again")
        return float(max(self._built.settings.monitor.period_s - (SYSTEM.monotonic() - began), DELIVER_S))

    def _cycle(self) -> None:
        self._built.refresh()
        done = self._built.cycle(float(self._built.settings.monitor.period_s), self._go_on).run()
        sent = failed = 0
        with suppress(queue.Empty):
            while True:
                more = self._counts.get_nowait()
                sent, failed = sent + more[0], failed + more[1]
        self._shown(done, sent, failed)
        self._built.deadman.ping(self._built.settings.deadman_url)

    def _go_on(self) -> bool:
        if self._is_ending or not self._leads:
            raise _EndedError
        return True

    def _is_away(self, error: OtelGuardError) -> None:
        self._say_seldom(f"{error}; no rule is judged until then")
        if self._built.away.failed(self._built.direct, error):
            self._say("the channels were told directly")

    def _say_seldom(self, line: str) -> None:
        now = SYSTEM.monotonic()
        if now - self._said_at >= SAID_EACH_S:
            self._said_at = now
            self._say(line)

    def _renew(self) -> float:
        """In a thread of its own: a cycle may take longer than the lease."""
        if self._is_ending:
            self._give_back()
            return RENEW_S
        try:
            leads, trouble = self._built.lease.take(), None
        except OtelGuardError as error:
            leads, trouble = False, error
        if leads and not self._leads:
            self._say("this monitor leads")
        elif trouble is None and not leads and self._heard in {None, "leads"}:
            self._say("another monitor leads; this one waits")
        self._leads, self._trouble = leads, trouble
        heard = "trouble" if trouble is not None else "leads" if leads else "waits"
        if heard != self._heard:
            self._heard = heard
            self._wakes.put(None)
        return RENEW_S if leads else TRY_S

    def _deliver(self) -> float:
        if not self._leads:
            return DELIVER_S
        try:
            done = self._built.courier.deliver()
        except OtelGuardError:
            return TRY_S  # the cycle says it
        if done.sent or done.failed:
            self._counts.put((done.sent, done.failed))
        return min(max(done.wait_s, 0.05), DELIVER_S)

    def _give_back(self) -> None:
        """Twice does no harm."""
        if not self._leads:
            return
        try:
            self._built.lease.give_back()
            self._leads = False
        except OtelGuardError as error:
            self._say(f"the lease could not be given back, another monitor leads in 30 s: {error}")


class _EndedError(Exception):
    """The cycle is over: a signal came, or another monitor leads."""
