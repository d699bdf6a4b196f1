import tomllib

import pytest
from msgspec.structs import replace

from otel_guard.core.rule import Hours, Rule, Step
from otel_guard.core.rules_builtin import RULES
from otel_guard.settings.rules import Rules, rules
from otel_guard.settings.tree import Settings

BY_NAME = {rule.name: rule for rule in RULES}
BURST = BY_NAME["error_burst"]


def read(name: str, toml: str) -> tuple[Rules, Rule]:
    found = rules(Settings(tables=tomllib.loads(f"[rule.{name}]\n{toml}")))
    return found, next(rule for rule in found.rules if rule.name == name)


@pytest.mark.parametrize(
    ("name", "toml", "rule"),
    [
        ("error_burst", "above = 20", replace(BURST, above=20, clear=10)),
        ("error_burst", "above = 20\nclear = 2", replace(BURST, above=20, clear=2)),
        ("error_burst", "clear = 8", replace(BURST, clear=8)),
        (
            "error_burst",
            "above = 100",
            replace(BURST, above=100, clear=50, steps=(Step(500, "critical"),)),
        ),
        ("error_burst", "below = 1", replace(BURST, above=None, below=1, clear=1, still_s=0, steps=())),
        ("error_burst", "severity = 'low'", replace(BURST, severity="low", steps=())),
        ("error_burst", "enabled = false", replace(BURST, is_enabled=False)),
        ("error_burst", "window = '30s'", replace(BURST, window_s=30, still_s=30)),
        ("error_burst", "for = '2m'\nhours = '08:00-22:00'", replace(BURST, for_s=120, hours=Hours(480, 1320))),
        ("error_burst", "", BURST),
        ("slow_queries", "above = 3", replace(BY_NAME["slow_queries"], above=3)),
        ("error_rate", "least = 200", replace(BY_NAME["error_rate"], least=200)),
        ("email_delivery", "below = 0.9", replace(BY_NAME["email_delivery"], below=0.9, clear=0.9, still_s=0)),
        ("dependency_unhealthy", "for = '5m'", replace(BY_NAME["dependency_unhealthy"], for_s=300)),
        (
            "queue_depth",
            "above = 500",
            replace(BY_NAME["queue_depth"], above=500, clear=400, is_enabled=True),
        ),
        (
            "response_time",
            "above = 800\nwindow = '10m'",
            replace(BY_NAME["response_time"], above=800, clear=640, window_s=600, still_s=50, is_enabled=True),
        ),
        (
            "queue_depth",
            "above = 500\nenabled = false",
            replace(BY_NAME["queue_depth"], above=500, clear=400, is_enabled=False),
        ),
        ("queue_depth", "severity = 'high'", replace(BY_NAME["queue_depth"], severity="high")),
    ],
)
def test_a_change_touches_what_it_names_and_what_hangs_on_it(name: str, toml: str, rule: Rule) -> None:
    found, changed = read(name, toml)

    assert found.problems == ()
    assert changed == rule


@pytest.mark.parametrize(
    ("name", "toml", "problem"),
    [
        ("error_burst", "abov = 1", 'abov: unknown key; did you mean "above"?'),
        ("error_burst", "above = true", "above: true is not a number; write one, such as 25 or 0.5"),
        ("error_burst", "above = 1\nbelow = 1", "below: above is given too; leave one of them out"),
        ("error_burst", "clear = 11", "clear: 11 is over above; write 10 or less"),
        ("error_rate", "above = 5", "above: 5 is not a rate; write 0.05 for 5 %"),
        (
            "error_burst",
            "source = 'calls'",
            "source: error_burst is built in and has its own; write a rule of another name with it",
        ),
        ("email_delivery", "above = 0.1", "above: email_delivery fires under its limit; write below"),
        (
            "heartbeat_missed",
            "above = 1",
            "above: heartbeat_missed watches a state; it takes severity, for and enabled",
        ),
        ("queue_depth", "enabled = true", "above: missing; write your limit"),
        ("queue_depth", "clear = 5", "clear: there is no limit to clear from; write above too"),
    ],
)
def test_a_bad_change_leaves_the_built_in_rule_as_it_is(name: str, toml: str, problem: str) -> None:
    found, unchanged = read(name, f"{toml}\nseverity = 'low'")

    assert found.problems == (f"rule.{name}.{problem}",)
    assert unchanged == BY_NAME[name]
    assert found.off == ()
