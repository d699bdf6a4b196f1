"""What an application depends on, by the median of what its processes say."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from otel_guard.core.dependency import PROVIDER_PREFIX, Status, label_of
from otel_guard.core.overall import alternatives, median
from otel_guard.core.record import CONTEXTS, Context
from otel_guard.core.rule import Finding, Moment, Rule, State, severity_of
from otel_guard.monitor.judges._base import Ask, Reading, Row, ago, counted, finding, is_beyond, state_of, whose

LIVE_S: Final = 150.0
LONGER: Final = 3  # times `for` more, of what is not critical
Key = tuple[str, str]


class Seen:
    """One dependency of one service."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.name: str = rows[0]["name"]
        self.is_critical = any(row["critical"] for row in rows)
        self.status: Status = median([row["status"] for row in rows])
        self._bad = [row for row in rows if row["status"] == "unhealthy"]
        self._n = len(rows)

    @property
    def since(self) -> datetime | None:
        """When half of those who say so had found it unhealthy."""
        times = sorted(row["changed_at"] for row in self._bad if row["changed_at"])
        return times[(len(times) - 1) // 2] if times else None

    def described(self) -> str:
        """`payment unhealthy: 5 of 5 calls failed`, in how many processes."""
        why = next((row["message"] for row in self._bad if row["message"]), None)
        label = label_of(self.name)
        among = f" in {len(self._bad)} of {self._n} processes" if self._n > 1 else ""
        return f"{label} {self.status}{among}" + (f": {why}" if why else "")


def judge_dependency_unhealthy(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """Each but the AI providers; what is not critical must be unhealthy four times as long."""
    return [
        _dependency(rule, moment, key, seen)
        for key, services in _services(ask, moment).items()
        for seen in services
        if not seen.name.startswith(PROVIDER_PREFIX)
    ]


def judge_ai_provider_failing(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """Each AI provider; worse if none is left."""
    return [
        found
        for key, services in _services(ask, moment).items()
        for found in _providers(rule, key, [seen for seen in services if seen.name.startswith(PROVIDER_PREFIX)])
    ]


def judge_queue_depth(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """How many jobs wait in each queue, now."""
    rows = ask("judge_queues", {"live_since": ago(moment, LIVE_S)})
    return [_queue(rule, moment, row) for row in rows if rule.where.get("name") in {None, row["name"]}]


def judge_health(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """A rule of the user over `health`: how many dependencies are unhealthy."""
    name = rule.where.get("name")
    made = []
    for key, services in _services(ask, moment).items():
        bad = [
            seen for seen in services if seen.status == "unhealthy" and name in {None, seen.name, label_of(seen.name)}
        ]
        times = [seen.since for seen in bad if seen.since]
        said = "; ".join(seen.described() for seen in bad) or f"{name or 'all dependencies'} not unhealthy"
        made.append(
            finding(
                rule,
                state_of(rule, moment, Reading(value=float(len(bad)))),
                float(len(bad)),
                **_of(key),
                message=said,
                started_at=min(times, default=None),
            )
        )
    return made


def _services(ask: Ask, moment: Moment) -> Mapping[Key, list[Seen]]:
    rows: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in ask("judge_dependencies", {"live_since": ago(moment, LIVE_S)}):
        if row["status"] != "not_configured":
            rows[row["service"], row["environment"], row["name"]].append(row)
    services: dict[Key, list[Seen]] = defaultdict(list)
    for (service, environment, _), found in rows.items():
        services[service, environment].append(Seen(found))
    return services


def _dependency(rule: Rule, moment: Moment, key: Key, seen: Seen) -> Finding:
    state = _state(seen)
    longer = timedelta(seconds=0 if seen.is_critical else LONGER * rule.for_s)
    if state == "bad" and seen.since is not None and moment.now - seen.since < longer:
        state = "still"
    return finding(
        rule,
        state,
        **_of(key),
        dimension=seen.name,
        message=seen.described(),
        context=_context(seen.name),
        severity=severity_of(rule, 1 if seen.is_critical else 0),
        started_at=seen.since,
        labels={"dependency": seen.name},
    )


def _providers(rule: Rule, key: Key, providers: Sequence[Seen]) -> list[Finding]:
    is_none_left = alternatives(seen.status for seen in providers) == "unhealthy"
    good = [label_of(seen.name) for seen in providers if seen.status in {"healthy", "degraded"}]
    rest = "; no provider is left" if is_none_left else f"; {', '.join(good)} serves" if good else ""
    return [
        finding(
            rule,
            _state(seen),
            **_of(key),
            dimension=seen.name.removeprefix(PROVIDER_PREFIX),
            message=seen.described() + rest,
            context="ai",
            severity=severity_of(rule, 1 if is_none_left else 0),
            started_at=seen.since,
            labels={"provider": seen.name.removeprefix(PROVIDER_PREFIX)},
        )
        for seen in providers
    ]


def _queue(rule: Rule, moment: Moment, row: Row) -> Finding:
    depth = row["depth"]
    fields: dict[str, Any] = {**whose(row), "dimension": row["name"], "context": "queue"}
    if depth is None:  # not known: neither bad nor good
        return finding(rule, "still", **fields, message=f"the depth of {row['name']} is not known")
    said = f"{counted(depth, 'job')} {'waits' if depth == 1 else 'wait'} in {row['name']}"
    state = state_of(rule, moment, Reading(value=depth))
    return finding(rule, state, depth, **fields, message=said, started_at=row["at"] if is_beyond(rule, depth) else None)


def _state(seen: Seen) -> State:
    if seen.status == "unhealthy":
        return "bad"
    return "clear" if seen.status in {"healthy", "disabled", "not_configured"} else "still"


def _context(name: str) -> Context | None:
    return next((context for context in CONTEXTS if context == name), None)


def _of(key: Key) -> dict[str, Any]:
    return {"service": key[0], "environment": key[1]}
