import tomllib

import pytest

from otel_guard.core.rule import Hours, Rule
from otel_guard.settings.rules import Rules, rules
from otel_guard.settings.tree import Settings


def read(toml: str) -> Rules:
    return rules(Settings(tables=tomllib.loads(toml)))


def one(toml: str) -> Rule:
    found = read(f"[rule.x]\n{toml}")

    assert found.problems == ()
    return found.rules[-1]


@pytest.mark.parametrize(
    ("toml", "rule"),
    [
        (
            "source = 'sql'\nquery = 'select 1'\nabove = 0\nfor = '2m'\nseverity = 'high'",
            Rule(
                name="x",
                kind="custom",
                type="x",
                severity="high",
                above=0,
                for_s=120,
                clear=0,
                source="sql",
                query="select 1",
                is_builtin=False,
            ),
        ),
        (
            "source = 'calls'\nwhere = { context = 'payment' }\nbelow = 1\nwindow = '2h'\nhours = '08:00-22:00'",
            Rule(
                name="x",
                kind="custom",
                type="x",
                severity="medium",
                below=1,
                window_s=7200,
                clear=1,
                source="calls",
                where={"context": "payment"},
                hours=Hours(480, 1320),
                is_builtin=False,
            ),
        ),
        (
            "source = 'calls'\nmeasure = 'p95_ms'\nabove = 1500\nwindow = '10m'\nenabled = false\nleast = 5",
            Rule(
                name="x",
                kind="custom",
                type="x",
                severity="medium",
                above=1500,
                window_s=600,
                still_s=50,
                clear=1200,
                least=5,
                source="calls",
                measure="p95_ms",
                is_enabled=False,
                is_builtin=False,
            ),
        ),
    ],
)
def test_a_rule_is_read_as_written(toml: str, rule: Rule) -> None:
    assert one(toml) == rule


@pytest.mark.parametrize(
    ("limit", "clear"),
    [("above = 10", 8), ("above = 10\nclear = 3", 3), ("below = 5", 5), ("below = 5\nclear = 7", 7)],
)
def test_a_rule_clears_at_four_fifths_of_above_or_at_below(limit: str, clear: float) -> None:
    assert one(f"source = 'errors'\n{limit}").clear == clear


def test_a_query_may_have_limits_below_0() -> None:
    assert one("source = 'sql'\nquery = 'select 1'\nabove = -10").clear == -12.5
    assert one("source = 'sql'\nquery = 'select 1'\nbelow = -10").clear == -10


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("22:00-06:00", Hours(1320, 360)),
        ("00:00-24:00", Hours(0, 1440)),
        ("08:15 - 09:00", Hours(495, 540)),
    ],
)
def test_hours_may_go_over_midnight(text: str, hours: Hours) -> None:
    assert one(f"source = 'errors'\nbelow = 1\nhours = '{text}'").hours == hours


SQL = "source = 'sql'\nquery = 'select 1'\nabove = 0\n"
ERRORS = "source = 'errors'\nabove = 5\n"


@pytest.mark.parametrize(
    ("toml", "problem"),
    [
        ("above = 1", "source: missing; write errors, calls, slow_calls, health, queue or sql"),
        ("source = 'call'\nabove = 1", 'source: "call" is no source; did you mean "calls"?'),
        ("source = 'errors'", "above: missing; write above or below"),
        ("source = 'errors'\nabove = 1\nbelow = 1", "below: above is given too; leave one of them out"),
        ("source = 'errors'\nabov = 1", 'abov: unknown key; did you mean "above"?'),
        ("source = 'errors'\nabove = true", "above: true is not a number; write one, such as 25 or 0.5"),
        ("source = 'errors'\nabove = -1", "above: -1 is below 0; write 0 or more"),
        ("source = 'errors'\nbelow = 0", "below: nothing is below 0; write 1 for: none at all"),
        ("source = 'sql'\nabove = 1", "query: missing; write the statement that gives one number"),
        ("source = 'sql'\nquery = ' '\nabove = 1", 'query: " " is not text; write it in quotes'),
        (SQL + "window = '5m'", "window: source sql is the value of the moment; leave it out, or write for"),
        (SQL + "where = {}", "where: source sql has none; write the condition into the query"),
        (SQL + "measure = 'rate'", "measure: rate cannot be had from sql; leave it out"),
        (ERRORS + "query = 'select 1'", 'query: source errors has none; write source = "sql", or leave it out'),
        (ERRORS + "measure = 'p95_ms'", "measure: p95_ms cannot be had from errors; leave it out"),
        (ERRORS + "measure = 'p95'", 'measure: "p95" is no measure; did you mean "p95_ms"?'),
        (ERRORS + "window = 300", "window: 300 is not a duration; write 10m, 90s or 1h"),
        (ERRORS + "for = 'soon'", 'for: "soon" is not a duration; write 10m, 90s or 1h'),
        (ERRORS + "clear = 6", "clear: 6 is over above; write 5 or less"),
        ("source = 'errors'\nbelow = 5\nclear = 4", "clear: 4 is under below; write 5 or more"),
        (ERRORS + "severity = 'sever'", 'severity: "sever" is no severity; write low, medium, high or critical'),
        (ERRORS + "enabled = 'no'", 'enabled: "no" is neither true nor false; write true or false, without quotes'),
        (ERRORS + "hours = '8-22'", 'hours: "8-22" is not a time of the day; write "08:00-22:00"'),
        (ERRORS + "hours = '08:00-25:00'", 'hours: "08:00-25:00" is not a time of the day; write "08:00-22:00"'),
        (ERRORS + "hours = '08:00-08:00'", 'hours: "08:00-08:00" is not a time of the day; write "08:00-22:00"'),
        (ERRORS + "hours = 8", 'hours: 8 is not a time of the day; write "08:00-22:00"'),
        (ERRORS + "where = 'x'", 'where: "x" is not a table; write { context = "payment" }'),
        (ERRORS + "where = { rout = '/' }", 'where.rout: unknown key; did you mean "route"?'),
        (ERRORS + "where = { route = 3 }", "where.route: 3 is not text; write it in quotes"),
        (ERRORS + "where = { context = 'mail' }", 'where.context: "mail" is no context; did you mean "email"?'),
        (
            "source = 'calls'\nmeasure = 'rate'\nabove = 5",
            "above: 5 is not a rate; write 0.05 for 5 %",
        ),
    ],
)
def test_a_bad_rule_is_off_and_says_why(toml: str, problem: str) -> None:
    found = read(f"[rule.x]\n{toml}")

    assert found.problems == (f"rule.x.{problem}",)
    assert found.off == ("x",)
    assert all(rule.is_builtin for rule in found.rules)


def test_all_problems_of_a_rule_are_said_at_once() -> None:
    found = read("[rule.x]\nsource = 'calls'\nabov = 1\nwindow = '10 minutes'\nhours = 9\nwhere = { a = 1 }\nfor = 1")

    assert [problem.partition(":")[0] for problem in found.problems] == [
        *("rule.x.abov", "rule.x.window", "rule.x.hours", "rule.x.where.a", "rule.x.for"),
    ]
