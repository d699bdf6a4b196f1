"""All parts of a guard, introduced to each other."""

import os
from collections.abc import Callable
from typing import Final

from otel_guard.assembly import parts, sinks
from otel_guard.assembly.alerting import Alerting
from otel_guard.capture import tracing
from otel_guard.capture.parts import Capture
from otel_guard.capture.roots import Roots
from otel_guard.core.record import Amendment
from otel_guard.health.facts import MONITOR_LOST
from otel_guard.health.health import TICK_S, Health
from otel_guard.health.heartbeat import Heartbeats
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.settings import Settings
from otel_guard.settings.identity import identity

REPEATS_S: Final = 1.0
STATS_S: Final = 15.0
BEATS_S: Final = 2.0  # for the last beats, at exit


class Parts:
    """Made in the order in which they need each other; nothing runs yet."""

    def __init__(self, settings: Settings, problems: list[str], say: Callable[[str], None]) -> None:
        """What is wrong with the settings is added to *problems*."""
        self.failsafe = Failsafe(strict=False)
        self.who = identity(settings, os.environ)
        self.roots = Roots()
        self.redactor = sinks.redactor(settings, problems)
        target = sinks.target_of(settings, problems)
        folder = parts.folder(settings, self.who, target)
        self.alerting = Alerting(settings, self.who, folder, self.redactor.text, self.failsafe, problems)
        self.sinks = sinks.sinks(
            settings, self.who, target, self.redactor, self.alerting, self._root_ended, self._tend, problems, say
        )
        is_kept = target is not None or self.sinks.sentry is not None
        self.journal = parts.journal(settings, self.who, folder if is_kept else None, self.sinks, self.failsafe, say)
        self.health = Health(
            settings,
            self.who,
            environ=os.environ,
            clock=SYSTEM,
            failsafe=self.failsafe,
            journal_stats=self.journal.stats,
            wake=self.journal.start,
            facts={MONITOR_LOST: lambda: self.alerting.monitor.is_lost},
        )
        problems += self.health.problems
        self.capture = Capture(
            settings,
            self.journal,
            self.redactor,
            self.roots,
            SYSTEM,
            self.failsafe,
            own_peers=tracing.endpoints(os.environ),
            wake=self.journal.start,
            on_amendment=self._amended,
            observe=self.health.observe,
            on_user=self.health.user,
        )
        self.heartbeats = Heartbeats(
            lambda exc, name: self.capture.entrances.unhandled(exc, route=name),
            SYSTEM,
            self.failsafe,
            service=self.who.service,
            environment=self.who.environment,
        )
        self._beats = parts.Beats(self.who)

    def start(self) -> None:
        """Open the journal and begin what runs in its threads."""
        self.journal.every(REPEATS_S, self.capture.pipeline.emit_repeats)
        self.journal.every(STATS_S, self.capture.stats.emit)
        self.journal.every(TICK_S, self.health.tick)
        self.journal.start()
        self.health.start()

    def close(self, limit_s: float) -> None:
        """Deliver what waits for up to *limit_s*."""
        if self.sinks.sentry is not None:
            self.sinks.sentry.closing = True
        self.journal.close(limit_s)
        self.alerting.close()
        if self.sinks.postgres is not None and self.sinks.postgres.up:
            self.heartbeats.close(self.sinks.postgres.lane.transaction, BEATS_S)

    def after_fork(self) -> None:
        """In the child: nothing of the parent's requests is ours; the journal sees to itself."""
        self.capture.after_fork()
        self.health.after_fork()
        self.heartbeats.after_fork()

    def _root_ended(self, trace_id: str) -> bool:
        return not self.roots.is_open(trace_id)

    def _amended(self, amendment: Amendment) -> None:
        if self.sinks.sentry is not None:
            self.sinks.sentry.amended(amendment)

    def _tend(self) -> None:
        """In the thread of Postgres, between two batches."""
        if self.sinks.postgres is not None:
            self._beats.tend(self.sinks.postgres, self.journal)
            if self.sinks.postgres.up:
                self.health.tend(self.sinks.postgres.lane.transaction)
                self.heartbeats.tend(self.sinks.postgres.lane.transaction)
                self.alerting.monitor.look(self.health.monitor)
