"""The monitor as a daemon: leads or waits, judges, delivers each second, ends on a signal."""

import threading
from collections.abc import Callable
from typing import Final

from otel_guard.core.exceptions import OtelGuardError
from otel_guard.monitor.away import Away
from otel_guard.monitor.building import Built
from otel_guard.monitor.cycle import Cycle, Done
from otel_guard.monitor.deadman import ping
from otel_guard.monitor.lease import RENEW_S, Lease
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.runtime.worker import Worker

DELIVER_S: Final = 1.0
WAIT_S: Final = 5.0  # of one that does not lead, or has no Postgres
SAID_EACH_S: Final = 60.0
Say = Callable[[str], None]


class Daemon:
    """Runs until `stop`; a second one waits until the first is gone."""

    def __init__(self, built: Built, say: Say, shown: Callable[[Done, int, int], None]) -> None:
        """*shown* gets each cycle, with the messages sent and failed since the last."""
        self._built = built
        self._say = say
        self._shown = shown
        self._stopping = threading.Event()
        self._leads = False
        self._was_said: bool | None = None
        self._said_at = -SAID_EACH_S
        self._sent = self._failed = 0
        self._lease = Lease(built.delivery_lane.transaction, built.instance)
        self._away = Away(built.lane.where, built.who.environment, SYSTEM)
        failsafe = Failsafe()
        self._workers = (
            Worker("lease", self._renew, failsafe=failsafe),
            Worker("delivery", self._deliver, failsafe=failsafe),
        )

    def run(self) -> None:
        """Work until `stop` is called, from a signal handler for instance."""
        cycle = self._built.cycle(float(self._built.settings.monitor.period_s))
        self._renew()
        for worker in self._workers:
            worker.start()
        while not self._stopping.is_set():
            self._stopping.wait(self._step(cycle))
        for worker in self._workers:
            worker.stop(RENEW_S)
        self._give_back()
        self._built.close()

    def stop(self) -> None:
        """End after the step that is under way."""
        self._stopping.set()

    def _step(self, cycle: Cycle) -> float:
        began = SYSTEM.monotonic()
        if not self._leads and not self._away.is_away:
            return WAIT_S
        try:
            self._catch_up()
            done = cycle.run()
        except OtelGuardError as error:
            self._is_away(error)
            return WAIT_S
        sent, failed, self._sent, self._failed = self._sent, self._failed, 0, 0
        self._shown(done, sent, failed)
        ping(self._built.settings.deadman_url, self._say)
        period_s = float(self._built.settings.monitor.period_s)
        return max(period_s - (SYSTEM.monotonic() - began), DELIVER_S)

    def _catch_up(self) -> None:
        """Postgres is there again: write down what was told without it."""
        if not self._away.is_away and not self._built.direct.waiting:
            return
        with self._built.lane.transaction() as database:
            untold = self._away.answered(database, self._built.incidents(), self._built.direct)
        self._away.committed(self._built.direct, self._built.courier, untold)
        self._say("Postgres answers again")

    def _is_away(self, error: OtelGuardError) -> None:
        if self._away.failed(self._built.direct, str(error)):
            self._say("the channels were told directly that Postgres does not answer")
        now = SYSTEM.monotonic()
        if now - self._said_at >= SAID_EACH_S:
            self._said_at = now
            self._say(f"{error}; no rule is judged until then")

    def _renew(self) -> float:
        try:
            self._leads = self._lease.take()
        except OtelGuardError as error:
            self._leads = False
            self._is_away(error)
            return WAIT_S
        if self._leads is not self._was_said:
            self._was_said = self._leads
            self._say("this monitor leads" if self._leads else "another monitor leads; this one waits")
        return RENEW_S if self._leads else WAIT_S

    def _deliver(self) -> float:
        if not self._leads:
            return DELIVER_S
        try:
            done = self._built.courier.deliver()
        except OtelGuardError:
            return WAIT_S  # the cycle says it
        self._sent, self._failed = self._sent + done.sent, self._failed + done.failed
        return min(max(done.wait_s, 0.05), DELIVER_S)

    def _give_back(self) -> None:
        try:
            if self._leads:
                self._lease.give_back()
        except OtelGuardError as error:
            self._say(f"the lease could not be given back, another leads in 30 s: {error}")
