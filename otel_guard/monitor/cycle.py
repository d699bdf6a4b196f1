"""One cycle: leftovers, rules, escalation, delivery, retention, releases, report, heartbeat."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Final, Protocol

from msgspec import Struct

from otel_guard.core.exceptions import OtelGuardError, StoreUnavailableError
from otel_guard.core.rule import Finding, Moment, Rule
from otel_guard.monitor.judges import watch
from otel_guard.monitor.moment import moment_of
from otel_guard.monitor.retention import tidy
from otel_guard.runtime.clock import Clock
from otel_guard.settings.tree import Retention
from otel_guard.store import monitoring
from otel_guard.store.ask import Database

SLOW_S: Final = 5.0
PATIENCE: Final = 3  # cycles in a row in which a rule may fail
LONGEST: Final = 200
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


class Done(Struct, frozen=True, kw_only=True):
    """What one cycle did."""

    rules: int
    fired: int
    resolved: int
    seconds: float
    failing: Mapping[str, str]


class Cycle:
    """Steps once; what one cycle must know of the last stands in the monitor's heartbeat."""

    def __init__(
        self,
        transaction: Transaction,
        plan: Callable[[], Plan],
        clock: Clock,
        *,
        instance: str,
        period_s: float | None,
        leftovers: Callable[[], int],
        report: Callable[[Database, datetime], object],
        say: Callable[[str], None],
    ) -> None:
        """*period_s* None: `--once`. *leftovers* delivers journals of dead processes, *report* makes one that is due."""
        self._transaction = transaction
        self._plan = plan
        self._clock = clock
        self._instance = instance
        self._period_s = period_s
        self._leftovers = leftovers
        self._report = report
        self._say = say

    def run(self) -> Done:
        """Judge and tidy; raises StoreUnavailableError or SchemaError where Postgres does not serve."""
        began, plan = self._clock.monotonic(), self._plan()
        self._apart("leftovers", self._leftovers)
        with self._transaction() as database:
            seen = monitoring.seen(database)
        moment, failing = moment_of(seen, self._period_s), dict(_counts(seen.detail))
        fired, resolved = self._judged(plan, moment, failing)
        with self._transaction() as database:
            plan.incidents.escalate(database, moment.now)
        self._apart("releases", self._note_releases)
        is_tidied = self._apart("retention", lambda: tidy(self._transaction, plan.retention))
        self._apart("report", lambda: self._make_report(moment.now))
        seconds = self._clock.monotonic() - began
        detail = {
            "watched_since": moment.watched_since,
            "retention_at": moment.now if is_tidied else seen.detail.get("retention_at"),
            "failing": failing,
            "rules": len(plan.rules),
            "fired": fired,
            "seconds": round(seconds, 2),
        }
        with self._transaction() as database:
            monitoring.beat(database, self._instance, moment.period_s, detail)
        return Done(
            rules=len(plan.rules), fired=fired, resolved=resolved, seconds=seconds, failing=failing_now(failing)
        )

    def _judged(self, plan: Plan, moment: Moment, failing: dict[str, Any]) -> tuple[int, int]:
        fired = resolved = 0
        for rule in plan.rules:
            try:
                began = self._clock.monotonic()
                findings = self._found(plan, rule, moment, failing)
                with self._transaction() as database:
                    followed = plan.incidents.follow(database, rule, findings, moment)
                _note(failing, rule.name, _too_slow(self._clock.monotonic() - began))
            except StoreUnavailableError as error:
                if not self._is_there():
                    raise
                _note(failing, rule.name, str(error))
                continue
            except Exception as error:
                _note(failing, rule.name, str(error) or type(error).__name__)
                continue
            fired, resolved = fired + followed.fired, resolved + followed.resolved
        with self._transaction() as database:
            resolved += plan.incidents.let_go(database, [rule.name for rule in plan.rules], moment)
        return fired, resolved

    def _found(self, plan: Plan, rule: Rule, moment: Moment, failing: Mapping[str, Any]) -> list[Finding]:
        if rule.kind == "rule_error":
            return watch.rule_errors(rule, failing_now(failing), moment)
        if rule.kind == "rules_invalid":
            return watch.rules_invalid(rule, plan.problems, moment)
        return plan.judge(rule, moment)

    def _is_there(self) -> bool:
        try:
            with self._transaction():
                return True
        except OtelGuardError:
            return False

    def _note_releases(self) -> None:
        with self._transaction() as database:
            for row in monitoring.note_releases(database):
                self._say(f"{row['service']} ({row['environment']}) runs the new release {row['release']}")

    def _make_report(self, now: datetime) -> None:
        with self._transaction() as database:
            self._report(database, now)

    def _apart(self, what: str, step: Callable[[], object]) -> bool:
        """A step that may fail without the others; False: it did."""
        try:
            step()
        except StoreUnavailableError:
            raise
        except Exception as error:
            self._say(f"{what} failed ({type(error).__name__}: {str(error)[:LONGEST]}); the rest goes on")
            return False
        return True


def failing_now(counts: Mapping[str, Any]) -> dict[str, str]:
    """Rules that failed three times in a row, and why."""
    return {name: str(count["why"]) for name, count in counts.items() if count["n"] >= PATIENCE}


def _counts(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the last cycle counted; another release may have written it otherwise."""
    counts = detail.get("failing")
    if not isinstance(counts, Mapping):
        return {}
    return {
        name: count for name, count in counts.items() if isinstance(count, Mapping) and {"n", "why"} <= count.keys()
    }


def _note(failing: dict[str, Any], name: str, why: str | None) -> None:
    if why is None:
        failing.pop(name, None)
    else:
        failing[name] = {"n": failing.get(name, {"n": 0})["n"] + 1, "why": why[:LONGEST]}


def _too_slow(seconds: float) -> str | None:
    return f"it took {seconds:.1f} s, more than {SLOW_S:.0f}" if seconds > SLOW_S else None
