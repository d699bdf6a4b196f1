import pytest
from msgspec.structs import replace

from otel_guard.core.rule import Hours, Rule
from otel_guard.core.rule_words import clears, severities, words
from otel_guard.core.rules_builtin import RULES

BY_NAME = {rule.name: rule for rule in RULES}
OWN = Rule(name="x", kind="custom", type="x", severity="medium", source="calls", is_builtin=False)


@pytest.mark.parametrize(
    ("name", "fires", "good"),
    [
        ("slow_queries", "> 5 slow queries in 60 min", "0 in 10 min"),
        ("error_burst", "> 10 errors in 5 min", "≤ 5, held 5 min"),
        ("error_rate", "> 5 % of ≥ 50 requests failed in 5 min", "≤ 2.5 %, held 5 min"),
        ("critical_error", "an error critical, or of payment and high", "15 min quiet"),
        ("payment_failures", "> 20 % of payments failed, ≥ 3, in 5 min", "0 in 10 min"),
        ("email_delivery", "< 95 % of ≥ 20 mails delivered in 60 min", "≥ 98 %"),
        ("webhook_slow", "p95 > 5 s of ≥ 5 webhooks in 15 min", "≤ 4 s, held 10 min"),
        ("webhook_lag", "p95 lag > 5 min of ≥ 3 webhooks in 30 min", "≤ 4 min"),
        ("webhook_silent", "no webhook in 4 times its longest gap", "one comes"),
        ("queue_depth", "no limit given: write above", ""),
        ("dependency_unhealthy", "a dependency unhealthy", "2 min healthy"),
    ],
)
def test_a_built_in_rule_in_words(name: str, fires: str, good: str) -> None:
    assert (words(BY_NAME[name]), clears(BY_NAME[name])) == (fires, good)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_built_in_rule_has_words(rule: Rule) -> None:
    assert 5 < len(words(rule)) < 70
    assert severities(rule).startswith(rule.severity)


@pytest.mark.parametrize(
    ("rule", "fires", "good"),
    [
        (
            replace(OWN, below=1, clear=1, window_s=7200, where={"context": "payment"}, hours=Hours(480, 1320)),
            "< 1 call (context payment) in 2 h, 08:00-22:00",
            "≥ 1",
        ),
        (
            replace(OWN, above=1500, clear=1200, measure="p95_ms", window_s=600),
            "p95 > 1.5 s of calls in 10 min",
            "≤ 1.2 s",
        ),
        (
            replace(OWN, above=0.02, clear=0.016, measure="rate", least=50),
            "> 2 % of ≥ 50 calls failed in 5 min",
            "≤ 1.6 %",
        ),
        (replace(OWN, above=0, clear=0, source="sql", query="select 1"), "query > 0", "≤ 0"),
        (
            replace(OWN, above=200, clear=50, source="queue", where={"name": "mail"}),
            "> 200 jobs waiting (name mail)",
            "≤ 50",
        ),
        (replace(OWN, above=1000, clear=800, source="errors"), "> 1000 errors in 5 min", "≤ 800"),
        (replace(OWN, above=0, clear=0, source="health"), "> 0 dependencies unhealthy", "≤ 0"),
    ],
)
def test_a_rule_of_the_user_in_words(rule: Rule, fires: str, good: str) -> None:
    assert (words(rule), clears(rule)) == (fires, good)


def test_severities_name_the_steps() -> None:
    assert severities(BY_NAME["error_burst"]) == "high; critical > 50"
    assert severities(BY_NAME["database_pressure"]) == "medium; high; critical"
