"""What the background looked at last; requests only render it."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from otel_guard.core.dependency import AI, CRITICAL, SERVICES
from otel_guard.core.traffic import metrics
from otel_guard.health import rendering
from otel_guard.health.endpoint import Group, Scope
from otel_guard.health.rendering import Entry

PERIOD_S: Final = 5.0
STALE_S: Final = 3 * PERIOD_S


class View(Struct, frozen=True, kw_only=True):
    """One scope of a snapshot."""

    scope: Scope  # what it is, not what was asked: without Postgres `service` is this process alone
    services: Mapping[str, Entry]
    metrics: Mapping[str, Any]


class Snapshot(Struct, frozen=True, kw_only=True):
    """How all was at *at_s* (monotonic)."""

    at_s: float
    process: View
    service: View
    failed: tuple[str, ...] = ()  # checks of health.ready whose probe says unhealthy


def body(snapshot: Snapshot | None, now_s: float, scope: Scope, group: Group | None) -> dict[str, object]:
    """The body of /health but for version and time; a snapshot that is too old says nothing any more."""
    if snapshot is None:
        return _alike("unknown")
    view = snapshot.process if scope == "process" else snapshot.service
    services = view.services if now_s - snapshot.at_s <= STALE_S else rendering.unknown(view.services)
    shown = {name: entry for name, entry in services.items() if _is_in(group, name, entry)}
    return {
        "status": rendering.verdict_of(shown),
        "age_ms": round((now_s - snapshot.at_s) * 1000),
        "scope": view.scope,
        "services": shown,
        "metrics": dict(view.metrics),
    }


def disabled() -> dict[str, object]:
    """The body of a guard that is switched off: it says nothing against the application."""
    return _alike("disabled")


def _alike(status: str) -> dict[str, object]:
    services: dict[str, Entry] = {name: {"status": status, "critical": name in CRITICAL} for name in SERVICES}
    overall = rendering.verdict_of(services)
    return {"status": overall, "age_ms": None, "scope": "process", "services": services, "metrics": metrics(())}


def _is_in(group: Group | None, name: str, entry: Entry) -> bool:
    match group:
        case "critical":
            return bool(entry.get("critical"))
        case "ai":
            return name == AI
    return True
