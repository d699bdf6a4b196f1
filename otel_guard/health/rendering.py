"""From verdicts to what /health shows, of one process or of all."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from otel_guard.core.dependency import AI, PAYMENT, PROVIDER_PREFIX, PROVIDERS, SERVICES, Status, label_of, provider_row
from otel_guard.core.overall import alternatives, median, overall, providers_line, weighted
from otel_guard.core.passive import Probe, Verdict

Entry = dict[str, Any]
_QUIET: Final = frozenset({"not_configured", "disabled"})
_KEPT: Final = frozenset({"not_configured", "disabled", "unknown"})
_WORSE: Final = {"healthy": 0, "degraded": 1, "unhealthy": 2}


def services(
    verdicts: Mapping[str, Verdict],
    critical: Iterable[str],
    circuits: Mapping[str, str],
    switches: Mapping[str, bool],
    extra: Mapping[str, Entry],
) -> dict[str, Entry]:
    """The entries of `services`: the fixed ones in their order, then the application's own; *extra*: more of some."""
    important = frozenset(critical)
    shown = {name: verdict for name, verdict in verdicts.items() if not name.startswith(PROVIDER_PREFIX)}
    entries = {AI: _ai(verdicts, circuits)}
    entries |= {
        name: _entry(verdict, is_critical=name in important) | extra.get(name, {}) for name, verdict in shown.items()
    }
    if switches and PAYMENT in entries:
        entries[PAYMENT]["switch"] = "enabled" if switches.get("payments", True) else "paused"
    order = [name for name in SERVICES if name in entries]
    return {name: entries[name] for name in [*order, *(name for name in entries if name not in SERVICES)]}


def merged(own: Mapping[str, Verdict], others: Sequence[Mapping[str, Verdict]]) -> dict[str, Verdict]:
    """The verdicts over all processes: the median of those who know, sums of samples."""
    names = dict.fromkeys([*own, *(name for other in others for name in other)])
    return {name: _middle([each[name] for each in (own, *others) if name in each]) for name in names}


def probed(probe: Probe) -> Verdict:
    """An answer as a verdict, where there are no calls to weigh it against."""
    return Verdict(status=probe.status, source="active", message=probe.message, latency_ms=probe.latency_ms)


def unknown(entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """The same when nobody has looked for too long."""
    return {name: _forgotten(entry) for name, entry in entries.items()}


def verdict_of(entries: Mapping[str, Entry]) -> Status:
    """The status over *entries*."""
    return overall((entry["status"], bool(entry.get("critical"))) for entry in entries.values())


def _middle(known: list[Verdict]) -> Verdict:
    heard = [verdict for verdict in known if verdict.status != "not_configured"] or known
    status = median([verdict.status for verdict in heard])
    samples = [verdict.samples or 0 for verdict in heard]
    same = [verdict for verdict in heard if verdict.status == status]
    return Verdict(
        status=status,
        source=next((verdict.source for verdict in (same or heard) if verdict.source), None),
        message=next((verdict.message for verdict in same if verdict.message), None) or _outliers(heard, status),
        latency_ms=weighted((verdict.latency_ms, verdict.samples or 0) for verdict in heard),
        error_rate=weighted((verdict.error_rate, verdict.samples or 0) for verdict in heard),
        samples=sum(samples) or None,
    )


def _outliers(heard: Sequence[Verdict], status: Status) -> str | None:
    worse = [verdict for verdict in heard if _WORSE.get(verdict.status, -1) > _WORSE.get(status, -1)]
    if not worse:
        return None
    return f"{len(worse)} of {len(heard)} processes: {max(worse, key=lambda each: _WORSE[each.status]).status}"


def _entry(verdict: Verdict, *, is_critical: bool) -> Entry:
    entry: Entry = {"status": verdict.status}
    if verdict.status not in _QUIET:
        entry["critical"] = is_critical
    entry |= _figures(verdict)
    if verdict.message is not None:
        entry["message"] = verdict.message
    return entry


def _figures(verdict: Verdict) -> Entry:
    figures = {
        "source": verdict.source,
        "latency_ms": None if verdict.latency_ms is None else round(verdict.latency_ms, 1),
        "error_rate": None if verdict.error_rate is None else round(verdict.error_rate, 4),
        "samples": verdict.samples,
    }
    return {name: value for name, value in figures.items() if value is not None}


def _ai(verdicts: Mapping[str, Verdict], circuits: Mapping[str, str]) -> Entry:
    fixed = [provider_row(system) for system in PROVIDERS]
    rows = dict.fromkeys([*fixed, *(name for name in verdicts if name.startswith(PROVIDER_PREFIX))])
    providers = [_provider(row, verdicts.get(row, Verdict(status="not_configured")), circuits.get(row)) for row in rows]
    status = alternatives(provider["status"] for provider in providers)
    entry: Entry = {"status": status}
    if status not in _QUIET:
        entry["critical"] = False
    if (message := providers_line(providers)) is not None:
        entry["message"] = message
    return entry | {"providers": providers}


def _provider(row: str, verdict: Verdict, circuit: str | None) -> Entry:
    shown: Entry = {"provider": label_of(row), "status": verdict.status} | _figures(verdict)
    if circuit is not None:
        shown["circuit"] = circuit
    if verdict.message is not None and verdict.status in _WORSE:
        shown["error"] = verdict.message
    return shown


def _forgotten(entry: Entry) -> Entry:
    if entry["status"] in _KEPT:
        return entry
    kept: Entry = {"status": "unknown"} | {key: entry[key] for key in ("critical", "switch") if key in entry}
    if "providers" in entry:
        kept["providers"] = [
            provider if provider["status"] in _KEPT else {"provider": provider["provider"], "status": "unknown"}
            for provider in entry["providers"]
        ]
    return kept
