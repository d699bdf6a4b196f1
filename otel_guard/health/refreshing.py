"""Makes the snapshot: probes, verdicts, what the others said, the monitor and the journal."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from otel_guard.core.dependency import JOURNAL, MONITOR
from otel_guard.core.passive import Verdict
from otel_guard.core.traffic import Counters, metrics
from otel_guard.health import rendering
from otel_guard.health.checks import journal, monitor
from otel_guard.health.facts import Facts
from otel_guard.health.judging import Judging
from otel_guard.health.listening import Listening
from otel_guard.health.probing import Probes
from otel_guard.health.rendering import Entry
from otel_guard.health.sharing import Fleet, Own
from otel_guard.health.snapshot import PERIOD_S, Snapshot, View
from otel_guard.journal.stats import JournalStats
from otel_guard.runtime.clock import Clock
from otel_guard.store.dependencies import StatusRow

WINDOW_MS: Final = 300_000
_UNWRITTEN: Final = frozenset({MONITOR, JOURNAL})


class Refreshing:
    """Used by one thread at a time, but for `snapshot`."""

    def __init__(
        self,
        listening: Listening,
        probes: Probes,
        facts: Facts,
        journal_stats: Callable[[], JournalStats],
        clock: Clock,
        *,
        ready: Iterable[str],
        has_store: bool,
    ) -> None:
        """*ready* are the checks whose probe `/readyz` asks; *has_store*: a monitor could be seen."""
        self.snapshot: Snapshot | None = None
        self.judging = Judging(listening, probes, clock)
        self._listening = listening
        self._probes = probes
        self._facts = facts
        self._journal_stats = journal_stats
        self._clock = clock
        self._ready = tuple(ready)
        self._has_store = has_store
        self._dropped: list[tuple[int, int]] = []
        self._is_durable = False
        self._verdicts: dict[str, Verdict] = {}
        self._counters = Counters()

    def is_due(self) -> bool:
        """Whether the snapshot has had its time."""
        return self.snapshot is None or self._clock.monotonic() - self.snapshot.at_s >= PERIOD_S

    def is_waiting(self) -> bool:
        """Whether a probe that decides about readiness has not answered yet."""
        return any(name in self._probes.checks and not self._probes.has_said(name) for name in self._ready)

    def refresh(self, fleet: Fleet | None) -> bool:
        """Make a new snapshot; whether a status changed."""
        switches, circuits = self._facts.switches(), self._facts.circuits()
        changes = len(self.judging.changes)
        verdicts = self.judging.verdicts(circuits, switches)
        now_ms, now_s = self._clock.now_ms(), self._clock.monotonic()
        counters = self._listening.traffic.counters(now_ms, self.judging.depths())
        ours = {MONITOR: self._monitor(fleet), JOURNAL: self._journal(now_ms)}
        extra = {MONITOR: _cycle(fleet), JOURNAL: {"durable": self._is_durable}}
        siblings = fleet.siblings if fleet is not None else ()
        everywhere = rendering.merged(verdicts, [sibling.verdicts for sibling in siblings])
        counted = [sibling.counters for sibling in siblings if sibling.counters is not None]

        def view(shown: Mapping[str, Verdict], all_counters: list[Counters], *, is_service: bool) -> View:
            critical = [name for name in shown if self.judging.is_critical(name)]
            return View(
                scope="service" if is_service else "process",
                services=rendering.services({**shown, **ours}, critical, circuits, switches, extra),
                metrics=metrics(all_counters),
            )

        self._verdicts, self._counters = verdicts, counters
        self.snapshot = Snapshot(
            at_s=now_s,
            process=view(verdicts, [counters], is_service=False),
            service=view(everywhere, [*counted, counters], is_service=fleet is not None),
            failed=self._failed(),
        )
        return len(self.judging.changes) != changes

    def forget(self) -> None:
        """In a forked child."""
        self.snapshot = None
        self.judging.forget()

    def own(self) -> Own | None:
        """What the others should know; None before the first snapshot."""
        if self.snapshot is None:
            return None
        rows = [self._row(name, verdict) for name, verdict in self._verdicts.items()]
        return Own(
            rows=[row for row in rows if row.status != "not_configured" and row.name not in _UNWRITTEN],
            changes=self.judging.take_changes(),
            counters=self._counters,
        )

    def _failed(self) -> tuple[str, ...]:
        answers = {name: self._probes.answered(name) for name in self._ready}
        return tuple(name for name, answer in answers.items() if answer and answer.probe.status == "unhealthy")

    def _row(self, name: str, verdict: Verdict) -> StatusRow:
        return StatusRow(
            name=name,
            status=verdict.status,
            source=verdict.source,
            critical=self.judging.is_critical(name),
            latency_ms=verdict.latency_ms,
            error_rate=verdict.error_rate,
            samples=verdict.samples,
            message=verdict.message,
            changed_ms=self.judging.changed_at_ms.get(name),
        )

    def _monitor(self, fleet: Fleet | None) -> Verdict:
        if fleet is None and self._has_store:
            return Verdict(status="unknown")
        return monitor.found(fleet.monitor if fleet else None, is_lost=self._facts.is_monitor_lost())

    def _journal(self, now_ms: int) -> Verdict:
        stats = self._journal_stats()
        self._is_durable = stats.durable
        dropped = sum(stats.dropped.values())
        self._dropped = [each for each in self._dropped if now_ms - each[0] < WINDOW_MS] + [(now_ms, dropped)]
        return journal.found(stats, dropped - self._dropped[0][1])


def _cycle(fleet: Fleet | None) -> Entry:
    """When the monitor was seen last, at the time of asking."""
    return {"last_cycle_age_s": round(fleet.monitor.age_s)} if fleet is not None and fleet.monitor is not None else {}
