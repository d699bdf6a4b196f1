"""How long until somebody was told, acted, and it was over (operations.md, section 5)."""

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from otel_guard.core.incident import Incident
from otel_guard.core.record import SEVERITIES

NO_INCIDENT: Final = frozenset({"false_positive", "duplicate"})
FEW: Final = 10  # under so many the single values say more than a mean
OVERALL: Final = "all"


class Times(Struct, frozen=True, kw_only=True):
    """Seconds of one incident; None: that has not happened, or its beginning is not known.

    `ingest_s`, `evaluation_s`, `delivery_s` are the parts of `detect_s`.
    """

    detect_s: float | None = None
    ingest_s: float | None = None
    evaluation_s: float | None = None
    delivery_s: float | None = None
    acknowledge_s: float | None = None
    resolve_s: float | None = None


class Summary(Struct, frozen=True, kw_only=True):
    """What a number of times come to; *values*, sorted, only if there are few."""

    n: int
    mean_s: float
    p50_s: float
    p90_s: float
    max_s: float
    values: tuple[float, ...] = ()


class Means(Struct, frozen=True, kw_only=True):
    """MTTD (`detect`) with its parts, MTTA, MTTR; None: not one incident had it."""

    detect: Summary | None
    ingest: Summary | None
    evaluation: Summary | None
    delivery: Summary | None
    acknowledge: Summary | None
    resolve: Summary | None


def counts(incident: Incident) -> bool:
    """Whether it was an incident: neither a false positive nor a duplicate."""
    return incident.resolution not in NO_INCIDENT


def times_of(incident: Incident, ingested_at: datetime | None = None) -> Times:
    """The times of one; *ingested_at* is when the row that made its rule fire was in Postgres, None: nobody knows."""
    impact, told = incident.impact_started_at, incident.first_delivered_at
    detect = _between(impact, told)
    ingest = evaluation = delivery = None
    if impact is not None and told is not None and incident.fired_at is not None:
        fired = _within(incident.fired_at, impact, told)
        stored = None if ingested_at is None else _within(ingested_at, impact, fired)
        ingest = _between(impact, stored)
        evaluation = _between(impact if stored is None else stored, fired)
        delivery = _between(fired, told)
    return Times(
        detect_s=detect,
        ingest_s=ingest,
        evaluation_s=evaluation,
        delivery_s=delivery,
        acknowledge_s=_between(told, incident.acknowledged_at),
        resolve_s=_between(impact, incident.resolved_at),
    )


def means(incidents: Iterable[tuple[Incident, datetime | None]]) -> dict[str, Means]:
    """MTTD, MTTA, MTTR by severity, the worst first, and over `all`; without what was no incident."""
    taken = [(incident.severity, times_of(incident, at)) for incident, at in incidents if counts(incident)]
    found = {
        severity: _means([times for of, times in taken if of == severity])
        for severity in reversed(SEVERITIES)
        if any(of == severity for of, _ in taken)
    }
    return ({OVERALL: _means([times for _, times in taken])} if taken else {}) | found


def summary(values: Iterable[float | None]) -> Summary | None:
    """Mean, p50, p90 (nearest rank), max of those that are known; None: there is none."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return None
    return Summary(
        n=len(known),
        mean_s=sum(known) / len(known),
        p50_s=_rank(known, 0.5),
        p90_s=_rank(known, 0.9),
        max_s=known[-1],
        values=tuple(known) if len(known) < FEW else (),
    )


def _means(taken: Sequence[Times]) -> Means:
    def over(one: Callable[[Times], float | None]) -> Summary | None:
        return summary(map(one, taken))

    return Means(
        detect=over(lambda times: times.detect_s),
        ingest=over(lambda times: times.ingest_s),
        evaluation=over(lambda times: times.evaluation_s),
        delivery=over(lambda times: times.delivery_s),
        acknowledge=over(lambda times: times.acknowledge_s),
        resolve=over(lambda times: times.resolve_s),
    )


def _rank(known: Sequence[float], q: float) -> float:
    return known[max(math.ceil(q * len(known)), 1) - 1]


def _between(since: datetime | None, until: datetime | None) -> float | None:
    """Seconds, at least 0: of clocks that differ."""
    return None if since is None or until is None else max((until - since).total_seconds(), 0.0)


def _within(at: datetime, since: datetime, until: datetime) -> datetime:
    return min(max(at, since), max(since, until))
