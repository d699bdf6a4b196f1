"""The health of this process and of its service, as guard and applications use it."""

import os
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from otel_guard.core.classify import Call
from otel_guard.core.exceptions import OtelGuardError
from otel_guard.core.record import CONTEXTS
from otel_guard.core.web import Answer, Authorize, Request, Role, as_json
from otel_guard.health import endpoint, snapshot
from otel_guard.health.background import Background
from otel_guard.health.checks import custom, queue
from otel_guard.health.checks.monitor import MonitorSeen
from otel_guard.health.endpoint import Group, Policy, Scope
from otel_guard.health.facts import Facts
from otel_guard.health.listening import Listening
from otel_guard.health.listing import listed
from otel_guard.health.probing import Probes
from otel_guard.health.refreshing import Refreshing
from otel_guard.health.sharing import Sharing, Transaction
from otel_guard.health.snapshot import Snapshot
from otel_guard.journal.stats import JournalStats
from otel_guard.runtime.clock import Clock
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.settings.checks import checks
from otel_guard.settings.identity import Identity
from otel_guard.settings.tree import Settings

TICK_S: Final = 1.0
FAULT: Final[dict[str, object]] = {"status": "degraded"}


class Health:
    """What a request asks is kept; who looks is `tick`, in the background, and `tend`, in the thread of Postgres."""

    def __init__(
        self,
        settings: Settings,
        who: Identity,
        *,
        environ: Mapping[str, str],
        clock: Clock,
        failsafe: Failsafe,
        journal_stats: Callable[[], JournalStats],
        wake: Callable[[], None],
        facts: Mapping[str, Callable[[], object]],
    ) -> None:
        """*wake* starts the background in a forked child; *facts*: see `health/facts.py`, may be filled later."""
        given = checks(settings, environ)
        slow_ms: dict[str, float] = {context: float(getattr(settings.slow, f"{context}_ms")) for context in CONTEXTS}
        self._policy = Policy(details=settings.health.details, token=settings.health.token, version=who.release)
        self.problems = (*given.problems, *endpoint.problems(self._policy))
        self._is_enabled = settings.enabled
        self._clock = clock
        self._failsafe = failsafe
        self._wake = wake
        self._is_draining = False
        self._pid = os.getpid()
        self._listening = Listening(slow_ms)
        self.observe: Callable[[Call], None] = self._listening.observe  # the hot path: nothing in between
        self._probes = Probes(clock, random.random)
        for check in listed(given):
            self._probes.add(check)
        self._refreshing = Refreshing(
            self._listening,
            self._probes,
            Facts(facts, failsafe),
            journal_stats,
            clock,
            ready=settings.health.ready,
            has_store=settings.dsn is not None,
        )
        self._sharing = Sharing(
            who.service, who.environment, lambda: f"{who.host}:{os.getpid()}", self._refreshing.own, clock
        )
        self._background = Background(self._probes, self._refreshing, self._sharing, clock)

    def user(self, user_id: str) -> None:
        """A request of this user ended."""
        self._listening.traffic.user(user_id, self._clock.now_ms())

    def add(
        self,
        name: str,
        fn: Callable[[], object],
        *,
        critical: bool = False,
        timeout_s: float = 2.0,
        every_s: float = 30.0,
    ) -> None:
        """Check the application's own dependency *name*: *fn* raises when something is wrong."""
        self._probes.add(custom.check(name, fn, critical=critical, timeout_s=timeout_s, every_s=every_s))

    def queue(self, name: str, depth_fn: Callable[[], int]) -> None:
        """Watch how many jobs wait in the queue *name*."""
        self._probes.add(queue.check(name, depth_fn))

    def start(self) -> None:
        """Begin: where no probe is to be waited for, the first snapshot is there at once."""
        if self._is_enabled:
            with self._failsafe("health: start"):
                self._background.first()

    def tick(self) -> None:
        """Each second, in the background: take answers, start what is due, look again each 5 s."""
        if self._is_enabled and not self._is_draining:
            self._background.tick()

    def tend(self, transaction: Transaction) -> None:
        """In the thread of Postgres, each few seconds: tell the others, hear them."""
        with suppress(OtelGuardError):  # whose connection it is says so
            self._sharing.tend(transaction)

    @property
    def monitor(self) -> MonitorSeen | None:
        """The monitor's last heartbeat as this process read it, if that is fresh; None too if there never was one."""
        fleet = self._sharing.live()
        return fleet.monitor if fleet is not None else None

    def close(self) -> None:
        """The application goes: take no more traffic."""
        self._is_draining = True

    def after_fork(self) -> None:
        """In the child: what the parent saw is the parent's; the checks stay."""
        self._pid = os.getpid()
        self._listening.forget()
        self._background.forget()

    def ready(self) -> str:
        """What `/readyz` says."""
        if self._is_draining or not self._is_enabled:
            return "draining" if self._is_draining else endpoint.READY
        known = self._known()
        if known is None:
            return endpoint.READY if self._background.is_overdue() else "starting"
        return "not_ready" if known.failed else endpoint.READY

    def body(self, *, scope: Scope = "service", group: Group | None = None) -> dict[str, object]:
        """What `/health` says, with details, but for version and time."""
        if not self._is_enabled:
            return snapshot.disabled()
        self._sharing.asked()
        return snapshot.body(self._known(), self._clock.monotonic(), scope, group)

    def answer(self, name: str, request: Request, authorize: Authorize | None = None) -> Answer:
        """Answer a request to `livez`, `readyz` or `health`; a fault of ours takes no traffic away."""

        def checked(asking: Request) -> Role | None:
            with self._failsafe("authorize"):
                return authorize(asking) if authorize is not None else None
            return None

        with self._failsafe("health"):
            return endpoint.answer(name, request, self, self._policy, self._clock.now_ms, checked)
        return as_json(endpoint.OK, FAULT)

    def _known(self) -> Snapshot | None:
        """The snapshot; a child that nobody called yet is woken."""
        if self._pid != os.getpid():
            self.after_fork()  # a fork that ran no hook
        known = self._refreshing.snapshot
        if known is None or self._clock.monotonic() - known.at_s > snapshot.STALE_S:
            with self._failsafe("health: wake"):
                self._wake()
                self._background.first()
        return self._refreshing.snapshot
