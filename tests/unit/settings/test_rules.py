import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_guard.core.rules_builtin import RULES
from otel_guard.settings.rules import Rules, rules
from otel_guard.settings.rules_own import KEYS
from otel_guard.settings.tree import Settings

PAGE = """
[rule.error_burst]  # built-in: write only what differs; enabled = false turns it off
above = 25
[rule.unshipped]
source = "sql"
query = "select count(*) from orders where paid_at < now() - interval '10 min' and shipped_at is null"
above = 0
for = "2m"
severity = "high"
[rule.no_payment]
source = "calls"
where = { context = "payment", operation = "create payment_intent" }
below = 1
window = "2h"
hours = "08:00-22:00"
[rule.checkout_slow]
source = "calls"
where = { route = "/checkout" }
measure = "p95_ms"
above = 1500
window = "10m"
"""


def read(toml: str) -> Rules:
    return rules(Settings(tables=tomllib.loads(toml)))


def test_without_a_file_there_are_the_built_in_rules() -> None:
    assert read("") == Rules(rules=RULES, problems=())


def test_the_users_rules_come_after_the_built_in_ones() -> None:
    found = read(PAGE)

    assert (found.problems, found.off) == ((), ())
    assert [rule.name for rule in found.rules[: len(RULES)]] == [rule.name for rule in RULES]
    assert [rule.name for rule in found.rules[len(RULES) :]] == ["unshipped", "no_payment", "checkout_slow"]


def test_the_problems_are_those_of_the_page_and_the_rest_runs() -> None:
    found = read(PAGE.replace("above = 1500", "abov = 1500").replace('"10m"', '"10 minutes"'))

    assert found.problems == (
        'rule.checkout_slow.abov: unknown key; did you mean "above"?',
        'rule.checkout_slow.window: "10 minutes" is not a duration; write 10m, 90s or 1h',
    )
    assert found.off == ("checkout_slow",)
    assert len(found.rules) == len(RULES) + 2


@pytest.mark.parametrize(
    ("toml", "problem"),
    [
        (
            "[rule.eror_burst]\nabove = 3",
            'rule.eror_burst: no built-in has this name, and it has no source; did you mean "error_burst"?',
        ),
        ("[rule.'a:b']\nsource = 'errors'", 'rule."a:b": not a name; write letters, digits, _ and -, at most 64'),
        ("[rule]\nabove = 3", "rule.above: not a table; write [rule.NAME] and below it the keys"),
        ("rule = 'x'", "rule: not a table; write [rule.NAME]"),
    ],
)
def test_a_name_that_is_none(toml: str, problem: str) -> None:
    assert read(toml).problems == (problem,)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["errors", "calls", "sql", "10m", "high", "rate", "08:00-22:00"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from(["context", "route", "x"]), st.text(max_size=3) | st.integers(), max_size=2),
)


@given(
    st.dictionaries(
        st.sampled_from(["error_burst", "queue_depth", "heartbeat_missed", "mine"]) | st.text(max_size=5),
        st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=6), VALUES, max_size=8) | VALUES,
        max_size=3,
    )
)
def test_whatever_the_file_says_nothing_raises_and_the_built_in_rules_stay(content: dict[str, object]) -> None:
    found = rules(Settings(tables={"rule": content}))

    assert [rule.name for rule in found.rules[: len(RULES)]] == [rule.name for rule in RULES]
    assert all(rule.above is None or rule.below is None for rule in found.rules)
    assert all("\n" not in problem for problem in found.problems)
