"""One verdict of many: over an application's services, an AI provider's alternatives, the processes of a fleet."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from otel_guard.core.dependency import Status

CIRCUIT_OPEN: Final = "circuit open"
_RANKS: Final[tuple[Status, ...]] = ("healthy", "degraded", "unhealthy")
_SILENT: Final = frozenset({"not_configured", "disabled"})


def overall(services: Iterable[tuple[Status, bool]]) -> Status:
    """The verdict over (status, is critical); what is not configured or disabled does not count."""
    known = [(status, is_critical) for status, is_critical in services if status not in _SILENT]
    if ("unhealthy", True) in known:
        return "unhealthy"
    is_marred = any(
        status in {"unhealthy", "degraded"} or (status == "unknown" and critical) for status, critical in known
    )
    return "degraded" if is_marred else "healthy"


def alternatives(statuses: Iterable[Status]) -> Status:
    """The verdict over providers that stand in for each other: some down is degraded, all is unhealthy."""
    given = list(statuses)
    known = [status for status in given if status not in _SILENT]
    if not known:
        return "disabled" if "disabled" in given else "not_configured"
    judged = [status for status in known if status != "unknown"]
    if not judged:
        return "unknown"
    if all(status == "unhealthy" for status in judged):
        return "unhealthy"
    return "healthy" if all(status == "healthy" for status in judged) else "degraded"


def median(statuses: Sequence[Status]) -> Status:
    """The middle of what the processes say; between two it is the one between, else the worse."""
    ranks = sorted(_RANKS.index(status) for status in statuses if status in _RANKS)
    if not ranks:
        return next((status for status in ("unknown", "disabled") if status in statuses), "not_configured")
    low, high = ranks[(len(ranks) - 1) // 2], ranks[len(ranks) // 2]
    return _RANKS[(low + high + 1) // 2]


def weighted(pairs: Iterable[tuple[float | None, float]]) -> float | None:
    """The mean of values by their weights; None where there is none."""
    known = [(value, weight or 1.0) for value, weight in pairs if value is not None]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if known else None


def providers_line(providers: Sequence[Mapping[str, object]]) -> str | None:
    """`claude open, openai serves`: who of the AI providers is out, and who serves instead; None: all are well."""
    out = [_outage(one) for one in providers if one["status"] in {"degraded", "unhealthy"}]
    if not out:
        return None
    serving = next((f"{one['provider']} serves" for one in providers if one["status"] == "healthy"), None)
    return ", ".join([*out, *filter(None, [serving])])


def _outage(provider: Mapping[str, object]) -> str:
    is_open = provider.get("circuit") == "open" or provider.get("error") == CIRCUIT_OPEN
    word = "open" if is_open else provider["status"]
    return f"{provider['provider']} {word}"
