"""The health of all services that share a database, from their rows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from otel_guard.core.dependency import JOURNAL, MONITOR
from otel_guard.core.passive import Verdict
from otel_guard.core.traffic import metrics
from otel_guard.health import rendering
from otel_guard.health.checks import monitor
from otel_guard.health.checks.journal import OLDEST_S
from otel_guard.health.judging import PLAIN
from otel_guard.health.sharing import counters_of, monitor_of, verdict_of
from otel_guard.store.ask import Row

_ORDER: Final = ("unhealthy", "degraded", "unknown", "healthy", "disabled", "not_configured")


def body(
    statuses: Sequence[Row], processes: Sequence[Row], seen: Row | None, switches: Mapping[str, bool]
) -> dict[str, Any]:
    """The body of /health but for version and time: of each service the median of its processes, of several the worst."""
    told = [_service(rows) for rows in _grouped(statuses)]
    names = dict.fromkeys([*PLAIN, *(name for service in told for name in service)])
    verdicts = {name: _worst([service[name] for service in told if name in service]) for name in names}
    own = {MONITOR: monitor.found(monitor_of(seen), is_lost=False), JOURNAL: _journal(processes)}
    critical = {row["name"] for row in statuses if row["critical"]}
    extra = {
        MONITOR: {"last_cycle_age_s": round(seen["age_s"])} if seen is not None else {},
        JOURNAL: {"durable": all(row["detail"].get("durable", False) for row in processes)} if processes else {},
    }
    entries = rendering.services({**verdicts, **own}, critical, {}, switches, extra)
    counted = [counters for row in processes if (counters := counters_of(row["detail"])) is not None]
    return {
        "status": rendering.verdict_of(entries) if processes else "unknown",
        "scope": "service",
        "services": entries,
        "metrics": metrics(counted),
    }


def _grouped(rows: Iterable[Row]) -> list[list[Row]]:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["service"], row["environment"]), []).append(row)
    return list(found.values())


def _service(rows: Sequence[Row]) -> dict[str, Verdict]:
    processes: dict[str, dict[str, Verdict]] = {}
    for row in rows:
        processes.setdefault(row["instance"], {})[row["name"]] = verdict_of(row)
    return rendering.merged({}, list(processes.values()))


def _worst(verdicts: Sequence[Verdict]) -> Verdict:
    return min(verdicts, key=lambda verdict: _ORDER.index(verdict.status), default=Verdict(status="not_configured"))


def _journal(processes: Sequence[Row]) -> Verdict:
    if not processes:
        return Verdict(status="not_configured")
    oldest_s = max(float(row["detail"].get("oldest_s") or 0.0) for row in processes)
    if oldest_s > OLDEST_S:
        return Verdict(status="degraded", message=f"oldest record {oldest_s:.0f} s")
    return Verdict(status="healthy")
