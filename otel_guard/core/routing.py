"""Who hears of an incident: the steps of its severity, and what another open incident keeps quiet (section 4.2)."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from otel_guard.core.incident import Incident

MUTED: Final = -1  # `escalation_level` of an incident that fired while another spoke for it

_BY_DATABASE: Final = frozenset(
    {"error_burst", "error_rate", "slow_queries", "queue_depth", "heartbeat_missed", "database_pressure"}
)
_SEEN_WITHOUT_MONITOR: Final = frozenset({"critical_error", "monitor_offline"})


class Step(Struct, frozen=True):
    """After *after_s* the channels *to* are told, if nobody has acknowledged."""

    after_s: float
    to: tuple[str, ...]


def due(steps: Sequence[Step], level: int, since_s: float) -> tuple[int, tuple[str, ...]]:
    """The level reached after *since_s*, and the channels of the steps from *level* up to it."""
    reached = sum(step.after_s <= since_s for step in steps)
    names = [name for step in steps[level:reached] for name in step.to]
    return max(reached, level), tuple(dict.fromkeys(names))


def about(incident: Incident) -> str:
    """Return the channel that *incident* is about, if it is: that one is not told."""
    return dimension(incident) if incident.rule == "channel_failing" else ""


def inhibitor(incident: Incident, others: Iterable[Incident]) -> Incident | None:
    """Return the one of *others*, all open, that speaks for *incident* too."""
    speaking = [other for other in others if other.id != incident.id and _speaks(other)]
    if incident.rule == "error_burst" and (covering := _covering(incident, speaking)) is not None:
        return covering
    return next((other for other in speaking if _inhibits(other, incident)), None)


def dimension(incident: Incident) -> str:
    """The last part of its key: provider, check, fingerprint …; empty: the service as a whole."""
    start = f"{incident.rule}:{incident.environment or ''}:{incident.service or ''}:"
    return incident.dedup_key.removeprefix(start) if incident.dedup_key.startswith(start) else ""


def fingerprints(incident: Incident) -> frozenset[str]:
    """Those of a burst, which it lists in its label `fingerprints`; the one of another incident."""
    listed = incident.labels.get("fingerprints", "").split(",")
    return frozenset(filter(None, (*listed, incident.labels.get("fingerprint", ""), _own(incident))))


def _own(incident: Incident) -> str:
    return dimension(incident) if incident.rule in {"critical_error", "new_issue", "regressed_issue"} else ""


def _speaks(other: Incident) -> bool:
    return other.state in {"firing", "acknowledged"} and other.escalation_level != MUTED


def _covering(burst: Incident, others: list[Incident]) -> Incident | None:
    """All fingerprints of the burst have incidents of their own."""
    named = [o for o in others if o.rule in {"critical_error", "new_issue"} and _is_near(o, burst)]
    own = fingerprints(burst)
    covered = frozenset().union(*map(fingerprints, named))
    return next(iter(named), None) if own and own <= covered else None


def _inhibits(other: Incident, incident: Incident) -> bool:
    if other.rule == "monitor_offline":
        return incident.rule is not None and incident.rule not in _SEEN_WITHOUT_MONITOR
    if not _is_near(other, incident):
        return False
    match other.rule, incident.rule:
        case "critical_error" | "error_burst", "new_issue":
            return bool(fingerprints(other) & fingerprints(incident))
        case "dependency_unhealthy", rule:
            return dimension(other) == "database" and rule in _BY_DATABASE
        case "ai_provider_failing", "error_burst":
            system = incident.labels.get("system") or incident.labels.get("provider")
            return incident.context == "ai" and system in {None, dimension(other)}
    return False


def _is_near(other: Incident, incident: Incident) -> bool:
    """Same environment, and not of two services."""
    if (other.environment or "") != (incident.environment or ""):
        return False
    return not other.service or not incident.service or other.service == incident.service
