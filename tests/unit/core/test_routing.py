from typing import Any

import pytest

from otel_guard.core.incident import Incident
from otel_guard.core.routing import MUTED, Step, about, dimension, due, inhibitor

STEPS = (Step(0, ("slack", "make")), Step(600, ("slack",)), Step(1800, ("slack", "phone")))


def incident(rule: str | None, dimension: str = "", **fields: Any) -> Incident:
    service, environment = fields.get("service", "web"), fields.get("environment", "prod")
    key = f"{rule}:{environment}:{service}" + (f":{dimension}" if dimension else "")
    values: dict[str, Any] = {
        "id": key,
        "state": "firing",
        "type": rule or "by hand",
        "rule": rule,
        "dedup_key": key,
        "severity": "high",
        "service": service,
        "environment": environment,
    }
    return Incident(**(values | fields))


DATABASE = incident("dependency_unhealthy", "database")
BURST = incident("error_burst")


@pytest.mark.parametrize(
    ("level", "since_s", "expected"),
    [
        (0, 0.0, (1, ("slack", "make"))),
        (1, 599.0, (1, ())),
        (1, 600.0, (2, ("slack",))),
        (1, 4000.0, (3, ("slack", "phone"))),
        (3, 9000.0, (3, ())),
    ],
)
def test_steps_follow_one_another(level: int, since_s: float, expected: tuple[int, tuple[str, ...]]) -> None:
    assert due(STEPS, level, since_s) == expected


@pytest.mark.parametrize(
    ("quiet", "speaker"),
    [
        *((incident(rule), DATABASE) for rule in ("error_burst", "error_rate", "slow_queries", "queue_depth")),
        (incident("heartbeat_missed", "invoices"), DATABASE),
        (incident("database_pressure", "connections"), DATABASE),
        (incident("error_burst", service="api"), incident("dependency_unhealthy", "database", service="")),
        (incident("new_issue", "abc"), incident("critical_error", "abc")),
        (incident("new_issue", "abc"), incident("error_burst", labels={"fingerprints": "xyz,abc"})),
        (incident("error_burst", labels={"fingerprints": "abc"}), incident("critical_error", "abc")),
        (incident("error_burst", labels={"fingerprints": "abc"}), incident("new_issue", "abc")),
        (incident("error_burst", context="ai"), incident("ai_provider_failing", "openai")),
        (
            incident("error_burst", context="ai", labels={"system": "openai"}),
            incident("ai_provider_failing", "openai"),
        ),
        (incident("service_silent"), incident("monitor_offline", environment="")),
    ],
)
def test_one_speaks_for_the_other(quiet: Incident, speaker: Incident) -> None:
    assert inhibitor(quiet, [quiet, speaker]) == speaker


@pytest.mark.parametrize(
    ("incident", "other"),
    [
        (incident("critical_error", "abc"), DATABASE),
        (incident("error_burst", environment="staging"), DATABASE),
        (incident("error_burst", service="api"), DATABASE),
        (BURST, incident("dependency_unhealthy", "cache")),
        (BURST, incident("dependency_unhealthy", "database", state="resolved")),
        (BURST, incident("dependency_unhealthy", "database", state="pending")),
        (BURST, incident("dependency_unhealthy", "database", escalation_level=MUTED)),
        (incident("new_issue", "abc"), incident("critical_error", "xyz")),
        (incident("error_burst", labels={"fingerprints": "abc,xyz"}), incident("critical_error", "abc")),
        (incident("error_burst"), incident("critical_error", "abc")),
        (incident("error_burst", context="payment"), incident("ai_provider_failing", "openai")),
        (
            incident("error_burst", context="ai", labels={"system": "anthropic"}),
            incident("ai_provider_failing", "openai"),
        ),
        (incident("critical_error", "abc"), incident("monitor_offline")),
        (incident(None), incident("monitor_offline")),
    ],
)
def test_each_speaks_for_itself(incident: Incident, other: Incident) -> None:
    assert inhibitor(incident, [incident, other]) is None


def test_an_acknowledged_incident_still_speaks() -> None:
    speaker = incident("dependency_unhealthy", "database", state="acknowledged")

    assert inhibitor(BURST, [speaker]) == speaker


def test_a_failing_channel_is_what_its_incident_is_about() -> None:
    assert about(incident("channel_failing", "slack")) == "slack"
    assert about(incident("error_burst", "slack")) == ""


def test_a_dimension_is_what_follows_rule_environment_and_service() -> None:
    assert dimension(incident("webhook_silent", "stripe:charge")) == "stripe:charge"
    assert dimension(BURST) == ""
