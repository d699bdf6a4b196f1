"""One cycle: leftovers, rules, escalation, releases, retention, report, heartbeat."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Final, Protocol

from msgspec import Struct

from otel_guard.core.exceptions import OtelGuardError, StoreUnavailableError
from otel_guard.core.rule import Finding, Moment, Rule
from otel_guard.monitor.failing import Failing, said
from otel_guard.monitor.judges import watch
from otel_guard.monitor.judging import GIVEN
from otel_guard.monitor.moment import moment_of
from otel_guard.monitor.retention import tidying
from otel_guard.monitor.weeks import counted
from otel_guard.runtime.clock import Clock
from otel_guard.settings.tree import Retention
from otel_guard.store import monitoring
from otel_guard.store.ask import Database

SLOW_S: Final = 5.0
NO_TIME: Final = "no time was left for it: run the monitor as a daemon, or make slow rules faster"
Transaction = Callable[[], AbstractContextManager[Database]]
Judge = Callable[[Rule, Moment], list[Finding]]


class Follows(Protocol):
    """What is asked of the incidents."""

    def follow(self, database: Database, rule: Rule, findings: Sequence[Finding], moment: Moment) -> Any:
        """Bring the incidents of *rule* up to what it found."""
        ...

    def let_go(self, database: Database, running: Sequence[str], moment: Moment) -> int:
        """Resolve what rules opened that no longer run."""
        ...

    def escalate(self, database: Database, now: datetime) -> int:
        """Tell the next steps."""
        ...


class Plan(Struct, frozen=True, kw_only=True):
    """What the settings ask of a cycle; read anew when the file changes."""

    rules: tuple[Rule, ...]
    problems: tuple[str, ...]
    retention: Retention
    incidents: Follows
    judge: Judge


class Work(Struct, frozen=True, kw_only=True):
    """What a cycle does beside judging, given by who builds it."""

    leftovers: Callable[[], object]  # delivers journals of dead processes
    is_offline: Callable[[Database], bool]  # all channels and probes fail: it is us
    report: Callable[[Database, datetime], object]  # makes one that is due


class Done(Struct, frozen=True, kw_only=True):
    """What one cycle did."""

    rules: int = 0
    fired: int = 0
    resolved: int = 0
    seconds: float = 0.0
    failing: Mapping[str, str] = {}


class Cycle:
    """What one cycle must know of the last stands in the monitor's heartbeat, so any monitor can go on."""

    def __init__(
        self,
        transaction: Transaction,
        plan: Plan,
        work: Work,
        clock: Clock,
        *,
        instance: str,
        period_s: float | None,
        say: Callable[[str], None],
        go_on: Callable[[], bool] = lambda: True,
    ) -> None:
        """*period_s* None: `--once`. *go_on*: whether there is time for another rule; what it raises ends the cycle."""
        self._transaction = transaction
        self._plan = plan
        self._work = work
        self._clock = clock
        self._instance = instance
        self._period_s = period_s
        self._say = say
        self._go_on = go_on

    def run(self) -> Done:
        """Judge and tidy; raises StoreUnavailableError or SchemaError where Postgres does not serve."""
        began, plan = self._clock.monotonic(), self._plan
        self._apart("leftovers", self._work.leftovers)
        with self._transaction() as database:
            seen = monitoring.seen(database)
            is_offline = self._work.is_offline(database)
        moment = moment_of(seen, self._period_s)
        failing = Failing(seen.detail, [rule.name for rule in plan.rules])
        fired, resolved = (0, 0) if is_offline else self._judged(moment, failing)
        if not is_offline:
            self._within("escalation", lambda database: plan.incidents.escalate(database, moment.now))
        self._within("releases", self._note_releases)
        steps = [self._within(f"retention ({name})", step) for name, step in tidying(plan.retention)]
        self._within("report", lambda database: self._work.report(database, moment.now))
        seconds = self._clock.monotonic() - began
        detail = {
            "watched_since": moment.watched_since,
            "retention_at": moment.now if all(steps) else seen.detail.get("retention_at"),
            "failing": failing.counts,
            "rules": len(plan.rules),
            "fired": fired,
            "resolved": resolved,
            "offline": is_offline,
            "seconds": round(seconds, 2),
            "weeks": counted(seen.detail, moment),
        }
        with self._transaction() as database:
            monitoring.beat(database, self._instance, moment.period_s, detail)
        return Done(rules=len(plan.rules), fired=fired, resolved=resolved, seconds=seconds, failing=failing.reasons())

    def _judged(self, moment: Moment, failing: Failing) -> tuple[int, int]:
        fired = resolved = 0
        # What the watch finds of itself comes last, in the same cycle.
        for rule in sorted(self._plan.rules, key=lambda rule: rule.kind in GIVEN):
            if not self._go_on() and rule.kind not in GIVEN:
                failing.note(rule.name, NO_TIME)
                continue
            followed = self._followed(rule, moment, failing)
            if followed is not None:
                fired, resolved = fired + followed.fired, resolved + followed.resolved
        with self._transaction() as database:
            resolved += self._plan.incidents.let_go(database, [rule.name for rule in self._plan.rules], moment)
        return fired, resolved

    def _followed(self, rule: Rule, moment: Moment, failing: Failing) -> Any:
        """What became of the rule's incidents; None: it could not be judged, they stay as they are."""
        began = self._clock.monotonic()
        try:
            findings = self._found(rule, moment, failing)
            with self._transaction() as database:
                followed = self._plan.incidents.follow(database, rule, findings, moment)
        except Exception as error:
            self._raise_if_away(error)
            failing.note(rule.name, said(error))
            return None
        seconds = self._clock.monotonic() - began
        failing.note(rule.name, f"it took {seconds:.1f} s, more than {SLOW_S:.0f}" if seconds > SLOW_S else None)
        return followed

    def _found(self, rule: Rule, moment: Moment, failing: Failing) -> list[Finding]:
        if rule.kind == "rule_error":
            return watch.rule_errors(rule, failing.reasons(), moment)
        if rule.kind == "rules_invalid":
            return watch.rules_invalid(rule, self._plan.problems, moment)
        return self._plan.judge(rule, moment)

    def _note_releases(self, database: Database) -> None:
        for row in monitoring.note_releases(database):
            self._say(f"{row['service']} ({row['environment']}) runs the new release {row['release']}")

    def _within(self, what: str, step: Callable[[Database], object]) -> bool:
        """As `_apart`, in a transaction of its own."""

        def ran() -> None:
            with self._transaction() as database:
                step(database)

        return self._apart(what, ran)

    def _apart(self, what: str, step: Callable[[], object]) -> bool:
        """A step that may fail without the others; False: it did."""
        self._go_on()
        try:
            step()
        except Exception as error:
            self._raise_if_away(error)
            self._say(f"{what} failed ({type(error).__name__}: {said(error)}); the rest goes on")
            return False
        return True

    def _raise_if_away(self, error: Exception) -> None:
        """A statement that took too long looks like a Postgres that is away: ask."""
        if not isinstance(error, StoreUnavailableError):
            return
        try:
            with self._transaction():
                return
        except OtelGuardError:
            raise error from None
