"""What happens to an incident when its rule was judged (operations.md, section 4.1)."""

from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec import Struct

from otel_guard.core.incident import Incident, Opening
from otel_guard.core.record import SEVERITIES, Severity
from otel_guard.core.rule import Finding, Rule, dedup_key

REOPEN_S: Final = 600.0

Move = Literal["none", "open", "fire", "keep", "raise", "still", "resolve", "reopen", "delete"]


class Standing(Struct, frozen=True, kw_only=True):
    """An incident that is open, or that ended a moment ago."""

    incident: Incident
    still_at: datetime | None = None  # when it was last neither bad nor good
    ended_at: datetime | None = None  # when it was last resolved; `resolved_at` is the last bad sample before


def next_move(standing: Standing | None, finding: Finding | None, rule: Rule, now: datetime) -> Move:
    """Say what follows from *finding*; None: the rule found nothing under this key, which is good."""
    state = "clear" if finding is None else finding.state
    if standing is None:
        return "open" if state == "bad" else "none"
    incident = standing.incident
    match incident.state:
        case "pending":
            return _of_pending(incident, rule, now) if state == "bad" else "delete"
        case "resolved" if state != "bad":
            return "none"
        case "resolved":
            return "reopen" if may_reopen(standing, now) else "open"
    if state == "clear":
        return "resolve" if _is_held(unclear_at(standing), rule.clear_s, now) else "none"
    if finding is None or state == "still":
        return "still"
    return "raise" if is_higher(finding.severity, incident.severity) else "keep"


def may_reopen(standing: Standing | None, now: datetime) -> bool:
    """Whether what is true again is the same incident: it ended less than 10 min ago."""
    if standing is None or standing.incident.state != "resolved" or standing.ended_at is None:
        return False
    return now - standing.ended_at <= timedelta(seconds=REOPEN_S)


def unclear_at(standing: Standing) -> datetime | None:
    """When it was last not good: bad, or neither."""
    times = [at for at in (standing.incident.last_true_at, standing.still_at) if at is not None]
    return max(times, default=None)


def is_higher(severity: Severity, than: Severity) -> bool:
    """Whether *severity* is the worse one."""
    return SEVERITIES.index(severity) > SEVERITIES.index(than)


def worst(findings: list[Finding]) -> Finding:
    """Of several findings under one key, the one that counts."""
    states = ("clear", "still", "bad")
    return max(findings, key=lambda finding: (states.index(finding.state), SEVERITIES.index(finding.severity)))


def opening(rule: Rule, finding: Finding) -> Opening:
    """What opens the incident of *finding*."""
    return Opening(
        type=rule.type,
        rule=rule.name,
        dedup_key=dedup_key(finding),
        severity=finding.severity,
        message=finding.message,
        context=finding.context,
        service=finding.service or None,
        environment=finding.environment or None,
        release=finding.release,
        value=finding.value,
        threshold=finding.threshold,
        queries=finding.queries,
        labels=finding.labels,
        top=finding.top,
        occurrences=finding.occurrences,
        impact_started_at=finding.started_at,
        is_pending=rule.for_s > 0,
    )


def _of_pending(incident: Incident, rule: Rule, now: datetime) -> Move:
    return "fire" if _is_held(incident.pending_at, rule.for_s, now) else "keep"


def _is_held(since: datetime | None, seconds: float, now: datetime) -> bool:
    return since is None or now - since >= timedelta(seconds=seconds)
