"""What a weekly report holds (operations.md, section 5): values only, stored as JSON."""

from collections.abc import Mapping
from datetime import datetime
from statistics import median
from typing import Final

from msgspec import Struct

from otel_guard.core.response_times import Means

ESCALATES: Final = 3.0  # times the mean of the four weeks before
ESCALATES_LEAST: Final = 20
WEEKS: Final = 4
PROPOSES_LEAST: Final = 3  # incidents of a rule that nobody acted on


class Figures(Struct, frozen=True, kw_only=True):
    """A week in numbers."""

    errors: int = 0
    requests: int = 0
    failed: int = 0  # of the requests
    users: int = 0  # that met an error

    @property
    def rate(self) -> float | None:
        """Failed of all requests."""
        return self.failed / self.requests if self.requests else None


class Dropped(Struct, frozen=True, kw_only=True):
    """Records that were not kept."""

    reason: str
    kind: str
    n: int


class Group(Struct, frozen=True, kw_only=True):
    """An error group in this week."""

    fingerprint: str
    title: str
    context: str | None = None
    severity: str | None = None
    state: str = "open"
    n: int = 0
    users: int = 0
    mean: float = 0.0  # a week, of the four before or as many as it is known for
    first_seen_at: datetime | None = None
    place: str | None = None


class Groups(Struct, frozen=True, kw_only=True):
    """Section 2."""

    new: tuple[Group, ...] = ()
    new_n: int = 0
    regressed: tuple[Group, ...] = ()
    escalating: tuple[Group, ...] = ()
    top: tuple[Group, ...] = ()  # by users
    oldest_critical: Group | None = None


class SlowCall(Struct, frozen=True, kw_only=True):
    """A slow query or call, or a query that ran too often in one request (*is_repeated*: p95 and max are counts)."""

    what: str
    context: str = "database"
    table: str | None = None
    n: int = 0
    p95: float = 0.0  # ms
    max: float = 0.0
    place: str | None = None
    is_repeated: bool = False


class IncidentLine(Struct, frozen=True, kw_only=True):
    """An incident of the week."""

    id: str
    rule: str
    severity: str
    state: str
    message: str = ""
    service: str | None = None
    fired_at: datetime | None = None
    detect_s: float | None = None
    acknowledge_s: float | None = None
    resolve_s: float | None = None
    acknowledged_by: str | None = None
    resolution: str | None = None
    note: str | None = None
    value: float | None = None
    threshold: float | None = None

    @property
    def is_acted_on(self) -> bool:
        """A person acknowledged it, ended it or wrote a note, and did not call it false."""
        if self.resolution in {"false_positive", "duplicate"}:
            return False
        return bool(self.acknowledged_by or self.resolution or self.note)


class Noisy(Struct, frozen=True, kw_only=True):
    """The rule that fired most often for nothing, and a limit under which it would have fired less."""

    rule: str
    fired: int
    acted_on: int
    threshold: float | None = None
    proposed: float | None = None
    would_fire: int | None = None


class Alerts(Struct, frozen=True, kw_only=True):
    """Section 4; of incidents of severity low no channel hears, they stand here only."""

    fired: int = 0
    acted_on: int = 0
    incidents: tuple[IncidentLine, ...] = ()
    noisiest: Noisy | None = None
    means: Mapping[str, Means] = {}  # by severity, and over `all`: MTTD, MTTA, MTTR
    excluded: int = 0  # false positives and duplicates, which are not in the means


class Deployed(Struct, frozen=True, kw_only=True):
    """A deployment and what came within an hour."""

    service: str | None
    environment: str | None
    release: str | None
    at: datetime
    new_groups: int = 0
    rate_before: float | None = None
    rate_after: float | None = None


class Messages(Struct, frozen=True, kw_only=True):
    """What a channel was sent."""

    channel: str
    sent: int = 0
    dead: int = 0
    waiting: int = 0


class Watch(Struct, frozen=True, kw_only=True):
    """Section 5: the monitor of itself."""

    last_cycle_at: datetime | None = None
    watched_since: datetime | None = None  # no gap since
    period_s: float | None = None
    rules: int | None = None
    seconds: float | None = None  # the last cycle took
    failing: tuple[str, ...] = ()  # rules that cannot be judged
    retention_at: datetime | None = None
    gaps: tuple[IncidentLine, ...] = ()  # incidents of the watch itself
    messages: tuple[Messages, ...] = ()


class Report(Struct, frozen=True, kw_only=True):
    """A week; *past* are the weeks before, the newest first, those of which anything is known."""

    week: str
    since: datetime
    until: datetime
    made_at: datetime
    figures: Figures = Figures()
    past: tuple[Figures | None, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    groups: Groups = Groups()
    slow: tuple[SlowCall, ...] = ()
    alerts: Alerts = Alerts()
    deployments: tuple[Deployed, ...] = ()
    watch: Watch = Watch()

    @property
    def is_whole(self) -> bool:
        """The week was over when this was made."""
        return self.made_at >= self.until


def change(value: float | None, before: float | None) -> float | None:
    """By what share *value* is more than *before*; None where that cannot be said."""
    if value is None or not before:
        return None
    return value / before - 1


def middle(values: list[float | None]) -> float | None:
    """The median of those that are known."""
    known = [value for value in values if value is not None]
    return float(median(known)) if known else None


def is_escalating(n: int, mean: float, *, is_new: bool) -> bool:
    """At least three times the mean of the weeks before, and twenty."""
    return not is_new and n >= ESCALATES_LEAST and n >= ESCALATES * mean
