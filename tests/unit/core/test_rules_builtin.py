import pytest

from otel_guard.core.rule import Rule, Step, severity_of
from otel_guard.core.rules_builtin import NEEDS_LIMIT, RULES

BY_NAME = {rule.name: rule for rule in RULES}


def test_the_rules_are_those_of_the_page() -> None:
    assert [*BY_NAME] == [
        *("slow_queries", "error_burst", "error_rate", "critical_error", "new_issue", "regressed_issue"),
        *("payment_failures", "email_delivery", "webhook_slow", "webhook_lag", "webhook_silent"),
        *("queue_depth", "response_time", "dependency_unhealthy", "ai_provider_failing", "database_pressure"),
        *("heartbeat_missed", "service_silent", "monitor_offline", "backlog", "channel_failing", "rule_error"),
        "rules_invalid",
    ]
    assert len(BY_NAME) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_built_in_rule_is_judged_under_its_own_name(rule: Rule) -> None:
    types = {"slow_queries": "performance_degradation", "error_burst": "high_error_rate"}

    assert (rule.kind, rule.type) == (rule.name, types.get(rule.name, rule.name))
    assert rule.is_builtin
    assert rule.is_enabled == (rule.name not in NEEDS_LIMIT)
    assert rule.above is None or rule.below is None
    assert rule.clear is None or rule.clear < (rule.above or 0) or rule.clear > (rule.below or 1)
    assert rule.still_s <= rule.window_s


def test_the_seed_rules_have_the_limits_of_the_page() -> None:
    assert BY_NAME["error_burst"] == Rule(
        name="error_burst",
        kind="error_burst",
        type="high_error_rate",
        severity="high",
        above=10,
        window_s=300,
        still_s=60,
        clear=5,
        clear_s=300,
        steps=(Step(50, "critical"),),
        source="errors",
    )
    slow = BY_NAME["slow_queries"]
    assert (slow.above, slow.window_s, slow.still_s, slow.still_s + slow.clear_s) == (5, 3600, 300, 600)


@pytest.mark.parametrize(
    ("name", "value", "severity"),
    [
        ("error_burst", 50, "high"),
        ("error_burst", 51, "critical"),
        ("slow_queries", 26, "high"),
        ("email_delivery", 0.4, "high"),
        ("email_delivery", 0.6, "critical"),
        ("dependency_unhealthy", 0, "medium"),
        ("dependency_unhealthy", 1, "critical"),
        ("database_pressure", 0, "medium"),
        ("database_pressure", 1, "high"),
        ("database_pressure", 2, "critical"),
    ],
)
def test_the_severity_rises_with_the_value_or_the_level(name: str, value: float, severity: str) -> None:
    assert severity_of(BY_NAME[name], value) == severity
