import pytest

from otel_guard.core.dependency import Status
from otel_guard.core.overall import alternatives, median, overall, providers_line, weighted


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        ([], "healthy"),
        ([("healthy", True), ("healthy", False)], "healthy"),
        ([("unhealthy", True), ("healthy", False)], "unhealthy"),
        ([("healthy", True), ("unhealthy", False)], "degraded"),
        ([("degraded", True)], "degraded"),
        ([("degraded", False)], "degraded"),
        ([("unknown", True)], "degraded"),
        ([("unknown", False)], "healthy"),
        ([("not_configured", True), ("disabled", True)], "healthy"),
    ],
)
def test_a_critical_outage_is_an_outage_and_the_rest_degrades(
    services: list[tuple[Status, bool]], expected: str
) -> None:
    assert overall(services) == expected


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["healthy", "unhealthy"], "degraded"),
        (["unhealthy", "unhealthy", "not_configured"], "unhealthy"),
        (["healthy", "unknown", "not_configured"], "healthy"),
        (["unhealthy", "unknown"], "unhealthy"),
        (["degraded", "healthy"], "degraded"),
        (["unknown", "not_configured"], "unknown"),
        (["disabled", "not_configured"], "disabled"),
        (["disabled", "healthy"], "healthy"),
        (["not_configured"], "not_configured"),
        ([], "not_configured"),
    ],
)
def test_providers_stand_in_for_each_other(statuses: list[Status], expected: str) -> None:
    assert alternatives(statuses) == expected


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["healthy"], "healthy"),
        (["healthy", "healthy", "unhealthy"], "healthy"),
        (["healthy", "unhealthy", "unhealthy"], "unhealthy"),
        (["healthy", "unhealthy"], "degraded"),
        (["healthy", "degraded"], "degraded"),
        (["degraded", "unhealthy"], "unhealthy"),
        (["unknown", "unknown", "unhealthy"], "unhealthy"),
        (["unknown", "not_configured"], "unknown"),
        (["not_configured"], "not_configured"),
    ],
)
def test_a_fleet_says_the_median_of_those_who_know(statuses: list[Status], expected: str) -> None:
    assert median(statuses) == expected


def test_a_mean_is_weighted_by_samples() -> None:
    assert weighted([(10.0, 3), (50.0, 1), (None, 100)]) == 20.0
    assert weighted([(None, 5)]) is None
    assert weighted([(7.0, 0)]) == 7.0


def test_the_line_on_providers_says_who_is_out_and_who_serves() -> None:
    claude = {"provider": "claude", "status": "unhealthy", "circuit": "open"}
    openai = {"provider": "openai", "status": "healthy", "circuit": "closed"}

    assert providers_line([openai, claude]) == "claude open, openai serves"
    assert providers_line([{**openai, "status": "degraded"}, claude]) == "openai degraded, claude open"
    assert providers_line([openai]) is None
