"""A rule, and what it found: the words between the rule file, the evaluators and the incidents (operations.md, section 3)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct

from otel_guard.core.record import Context, Severity

Source = Literal["errors", "calls", "slow_calls", "health", "queue", "sql"]
Measure = Literal["count", "rate", "p50_ms", "p95_ms", "p99_ms"]
State = Literal["bad", "still", "clear"]


class Step(Struct, frozen=True):
    """Above *above* the severity is *severity*."""

    above: float
    severity: Severity


class Hours(Struct, frozen=True):
    """A time of the day in the monitor's time zone, in minutes from midnight; *end* before *start*: over midnight."""

    start: int
    end: int


class Rule(Struct, frozen=True, kw_only=True):
    """One rule. Exactly one of *above*, *below* is set where the rule counts something, neither where it watches a state."""

    name: str
    kind: str  # who judges it: a built-in's name, or `custom` for a user's rule
    type: str  # `type` of its payloads
    severity: Severity
    above: float | None = None
    below: float | None = None
    window_s: float = 300.0
    still_s: float = 0.0  # the trouble goes on only if something of it fell into this last time; 0: not asked
    for_s: float = 0.0  # how long it must be bad before it fires
    clear: float | None = None  # at or under it (below: at or over it) the value is good again
    clear_s: float = 0.0  # how long it must be good before the incident resolves
    least: float = 0.0  # fewer samples in the window: no verdict
    steps: tuple[Step, ...] = ()
    source: Source | None = None
    where: Mapping[
        str, str
    ] = {}  # of errors and calls: context, system, operation, route, service, environment, severity …
    measure: Measure = "count"
    query: str | None = None  # of source sql
    hours: Hours | None = None
    is_enabled: bool = True
    is_builtin: bool = True


class Moment(Struct, frozen=True, kw_only=True):
    """When a cycle judges; *gap_s* is the time since the last complete cycle (first run: the period)."""

    now: datetime  # aware, UTC, the database's clock
    gap_s: float
    period_s: float
    watched_since: datetime | None = None  # from when on the monitor's cycles had no gap above 3 periods


class Finding(Struct, frozen=True, kw_only=True):
    """What a rule found for one service, environment and dimension, in one cycle.

    `bad`: the condition holds. `still`: it does not hold, and is not good either: an open incident stays, none opens.
    `clear`: it is good. What is open and not found at all in a cycle counts as clear.
    """

    rule: str
    state: State
    service: str = ""
    environment: str = ""
    dimension: str = ""  # provider, check, heartbeat, fingerprint …; empty: the service as a whole
    value: float | None = None
    threshold: float | None = None
    severity: Severity = "medium"
    message: str = ""
    context: Context | None = None
    started_at: datetime | None = None  # the first bad row of the window; of absence: when it was due
    ingested_at: datetime | None = None  # when the row that made it bad was in Postgres
    release: str | None = None
    occurrences: int = 1
    queries: tuple[dict[str, object], ...] = ()  # query, duration, table, place
    labels: Mapping[str, str] = {}
    top: tuple[str, ...] = ()  # lines such as "`OperationalError` x31 shop/orders.py:88"


def dedup_key(finding: Finding) -> str:
    """What one open incident is known by; never a message."""
    parts = (finding.rule, finding.environment, finding.service, finding.dimension)
    return ":".join(parts if finding.dimension else parts[:3])


def severity_of(rule: Rule, value: float | None) -> Severity:
    """The rule's severity, or that of the highest step below *value*."""
    passed = [step for step in rule.steps if value is not None and value > step.above]
    return max(passed, key=lambda step: step.above).severity if passed else rule.severity
