"""How long until told, acknowledged, over: of one, and over many."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from otel_guard.core.incident import Incident
from otel_guard.core.response_times import Times, means, summary, times_of

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def incident(**fields: Any) -> Incident:
    values: dict[str, Any] = {
        "id": "1",
        "state": "resolved",
        "type": "high_error_rate",
        "rule": "error_burst",
        "dedup_key": "k",
        "severity": "high",
        "impact_started_at": at(0),
        "fired_at": at(12),
        "first_delivered_at": at(15),
        "acknowledged_at": at(75),
        "resolved_at": at(600),
    }
    return Incident(**(values | fields))


WHOLE = Times(detect_s=15, ingest_s=2, evaluation_s=10, delivery_s=3, acknowledge_s=60, resolve_s=600)


@pytest.mark.parametrize(
    ("fields", "ingested", "expected"),
    [
        ({}, at(2), WHOLE),
        ({}, None, {"ingest_s": None, "evaluation_s": 12}),
        ({"first_delivered_at": None}, at(2), Times(resolve_s=600)),
        ({"acknowledged_at": None}, at(2), {"acknowledge_s": None}),
        ({"acknowledged_at": at(14)}, at(2), {"acknowledge_s": 0}),
        ({"resolved_at": None}, at(2), {"resolve_s": None}),
        ({"impact_started_at": None}, at(2), Times(acknowledge_s=60)),
        ({}, at(-5), {"ingest_s": 0, "evaluation_s": 12}),
        ({}, at(40), {"ingest_s": 12, "evaluation_s": 0}),
        ({"fired_at": at(20)}, at(2), {"evaluation_s": 13, "delivery_s": 0}),
        ({"fired_at": at(-3)}, at(2), {"ingest_s": 0, "evaluation_s": 0, "delivery_s": 15}),
    ],
    ids=[
        "all known",
        "nobody knows when it was in Postgres",
        "nobody was told",
        "nobody acknowledged",
        "acknowledged before a channel said yes",
        "not over",
        "the beginning is not known",
        "a clock behind",
        "in Postgres only after it fired",
        "told directly, back-filled",
        "fired before the impact: clocks that differ",
    ],
)
def test_the_times_of_one(fields: dict[str, Any], ingested: datetime | None, expected: Any) -> None:
    found = times_of(incident(**fields), ingested)

    if isinstance(expected, Times):
        assert found == expected
    else:
        assert {name: getattr(found, name) for name in expected} == expected


@pytest.mark.parametrize("ingested", [None, at(-9), at(0), at(5), at(12), at(99)])
@pytest.mark.parametrize("fired", [at(-5), at(0), at(12), at(15), at(99)])
def test_the_parts_make_up_the_whole(ingested: datetime | None, fired: datetime) -> None:
    found = times_of(incident(fired_at=fired), ingested)
    parts = [part for part in (found.ingest_s, found.evaluation_s, found.delivery_s) if part is not None]

    assert sum(parts) == found.detect_s == 15
    assert min(parts) >= 0


def test_means_are_by_severity_and_over_all_the_worst_first() -> None:
    found = means([(incident(), None), (incident(severity="critical", first_delivered_at=at(5)), None)])

    assert list(found) == ["all", "critical", "high"]
    assert found["all"].detect is not None
    assert found["all"].detect.mean_s == 10
    assert found["critical"].detect is not None
    assert found["critical"].detect.values == (5,)


@pytest.mark.parametrize("resolution", ["false_positive", "duplicate"])
def test_what_was_no_incident_is_left_out(resolution: str) -> None:
    assert means([(incident(resolution=resolution), None)]) == {}


def test_of_nothing_there_is_no_mean() -> None:
    assert means([]) == {}
    assert summary([None, None]) is None


@pytest.mark.parametrize(("n", "is_listed"), [(9, True), (10, False)])
def test_under_ten_the_single_values_are_kept(n: int, is_listed: bool) -> None:
    found = summary(float(value) for value in range(n, 0, -1))

    assert found is not None
    assert found.values == (tuple(float(value) for value in range(1, n + 1)) if is_listed else ())


def test_quantiles_are_values_that_occurred() -> None:
    found = summary([float(value) for value in range(1, 21)])

    assert found is not None
    assert (found.n, found.mean_s, found.p50_s, found.p90_s, found.max_s) == (20, 10.5, 10, 18, 20)
