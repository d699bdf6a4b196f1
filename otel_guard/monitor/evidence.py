"""The evidence of runbooks: each name a question to Postgres, a second each, "not available" when it has no answer."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

from otel_guard.core.exceptions import OtelGuardError
from otel_guard.monitor.exhibits import failures, states, traffic, watch
from otel_guard.monitor.exhibits._base import Exhibit, Scene
from otel_guard.monitor.judges._base import Ask
from otel_guard.runtime.clock import Clock

EACH_S: Final = 1.0
ALL_S: Final = 10.0
LEAST_MS: Final = 50
NOT_AVAILABLE: Final = "not available"
Asking = Callable[[int], Ask]  # how many milliseconds a statement may take

EVIDENCE: Final[Mapping[str, Exhibit]] = {
    "ai_calls": traffic.ai_calls,
    "ai_errors": failures.ai_errors,
    "backlog": watch.backlog,
    "cache_errors": failures.cache_errors,
    "channels": watch.channels,
    "credential_errors": failures.credential_errors,
    "dependencies": states.dependencies,
    "deployments": failures.deployments,
    "email_errors": failures.email_errors,
    "emails": traffic.emails,
    "error_rates": failures.error_rates,
    "heartbeats": states.heartbeats,
    "incidents": watch.incidents,
    "indeterminate": failures.indeterminate,
    "inspections": states.inspections,
    "job_errors": failures.job_errors,
    "monitor": watch.monitor,
    "n_plus_one": traffic.n_plus_one,
    "new_groups": failures.new_groups,
    "payment_failures": failures.payment_failures,
    "payments": traffic.payments,
    "processes": states.processes,
    "providers": states.providers,
    "queues": states.queues,
    "slow_calls": traffic.slow_calls,
    "slow_queries": traffic.slow_queries,
    "switches": states.switches,
    "top_errors": failures.top_errors,
    "webhook_errors": failures.webhook_errors,
    "webhook_silence": traffic.webhook_silence,
    "webhooks": traffic.webhooks,
}
"""All names that a runbook may use."""


class Source(Struct, frozen=True, kw_only=True):
    """Whom to ask: the store, and the database that is watched (None: the store's)."""

    store: Asking
    watched: Asking | None = None


def gathered(
    names: Iterable[str],
    source: Source,
    clock: Clock,
    *,
    service: str | None = None,
    environment: str | None = None,
) -> dict[str, str]:
    """The text of each of *names*, of one service or of all; unknown names and lost answers are "not available"."""
    end = clock.monotonic() + ALL_S
    found = {}
    for name in names:
        until = min(clock.monotonic() + EACH_S, end)
        exhibit = EVIDENCE.get(name)
        found[name] = NOT_AVAILABLE if exhibit is None else _one(exhibit, source, clock, until, service, environment)
    return found


def _one(
    exhibit: Exhibit, source: Source, clock: Clock, until: float, service: str | None, environment: str | None
) -> str:
    ask = _within(source.store, clock, until)
    inspect = ask if source.watched is None else _within(source.watched, clock, until)
    try:
        (moment,) = ask("incident_now", {})
        scene = Scene(ask=ask, inspect=inspect, now=moment["now"], service=service, environment=environment)
        return exhibit(scene)
    except Exception:  # rows that nobody expected must not take the steps away either
        return NOT_AVAILABLE


def _within(asking: Asking, clock: Clock, until: float) -> Ask:
    """Ask with the time that is left; none left: as if there was no answer."""

    def asked(name: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        left_ms = int((until - clock.monotonic()) * 1000)
        if left_ms < LEAST_MS:
            raise OtelGuardError
        return asking(left_ms)(name, parameters)

    return asked
