"""An alert's life, and what is told of it (operations.md, section 4)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

from msgspec import Struct

from otel_guard.core.record import Severity

State = Literal["pending", "firing", "acknowledged", "resolved"]
Event = Literal["fired", "raised", "escalated", "resolved", "held", "test"]
RESOLUTIONS: Final = ("fixed", "false_positive", "duplicate", "wont_fix")


class Incident(Struct, frozen=True, kw_only=True):
    """A row of `incidents`."""

    id: str
    state: State
    type: str
    rule: str | None
    dedup_key: str
    severity: Severity
    context: str | None = None
    message: str = ""
    service: str | None = None
    environment: str | None = None
    release: str | None = None
    value: float | None = None
    threshold: float | None = None
    queries: list[dict[str, object]] = []
    labels: dict[str, str] = {}
    impact_started_at: datetime | None = None
    pending_at: datetime | None = None
    fired_at: datetime | None = None
    first_delivered_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    resolved_at: datetime | None = None
    resolution: str | None = None
    note: str | None = None
    last_true_at: datetime | None = None
    occurrences: int = 1
    escalation_level: int = 0


class Opening(Struct, frozen=True, kw_only=True):
    """What opens an incident, or touches the one that is open under its key."""

    type: str
    rule: str | None
    dedup_key: str
    severity: Severity
    message: str
    context: str | None = None
    service: str | None = None
    environment: str | None = None
    release: str | None = None
    value: float | None = None
    threshold: float | None = None
    queries: tuple[dict[str, object], ...] = ()
    labels: Mapping[str, str] = {}
    top: tuple[str, ...] = ()
    occurrences: int = 1
    impact_started_at: datetime | None = None  # None: now
    is_pending: bool = False  # its rule has a `for`


class Notice(Struct, frozen=True, kw_only=True):
    """What a channel is told: `payload` of `alert_outbox`; a channel renders it."""

    event: Event
    incident: Incident
    at: datetime
    top: tuple[str, ...] = ()
    deployed: str | None = None  # "6 min after deploy a1b2c3d"
    runbook: tuple[str, ...] = ()  # the first steps, at most 3 lines
    runbook_id: str | None = None
    url: str | None = None  # the alert's page
    acknowledge_url: str | None = None
    held: int = 0  # of event `held`: how many messages are held back
    acknowledge_command: str = ""  # stands where there is no link


class Answer(Struct, frozen=True, kw_only=True):
    """What a channel's server said; *detail* has no address and no secret."""

    kind: Literal["ok", "unconfirmed", "retry", "dead"]
    status: int | None = None
    detail: str = ""
    after_s: float | None = None  # not before this time
    took_ms: float = 0.0
