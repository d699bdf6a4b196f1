import math

import pytest

from otel_guard.settings.table import Table, is_web_address, tables

CHOICES = ("low", "medium", "high", "critical")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("25", 't.k: "25" is not a number; write 25, without quotes'),
        ("many", 't.k: "many" is not a number; write one, such as 25 or 0.5'),
        (True, "t.k: true is not a number; write one, such as 25 or 0.5"),
        (math.nan, "t.k: nan is not a number; write one, such as 25 or 0.5"),
        (math.inf, "t.k: inf is not a number; write one, such as 25 or 0.5"),
        ([1], "t.k: an array is not a number; write one, such as 25 or 0.5"),
        (-1, "t.k: -1 is below 0; write 0 or more"),
    ],
)
def test_what_is_not_a_number_is_said_with_its_cure(value: object, problem: str) -> None:
    table = Table("t", {"k": value})

    assert table.number("k") is None
    assert table.problems == (problem,)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("10 minutes", 't.k: "10 minutes" is not a duration; write 10m, 90s or 1h'),
        (600, "t.k: 600 is not a duration; write 10m, 90s or 1h"),
        (False, "t.k: false is not a duration; write 10m, 90s or 1h"),
        ({}, "t.k: a table is not a duration; write 10m, 90s or 1h"),
        ("0s", 't.k: "0s" is too short; write 1s or more'),
        ("91d", 't.k: "91d" is longer than the rows are kept; write 90d or less'),
    ],
)
def test_what_is_not_a_duration_is_said_with_its_cure(value: object, problem: str) -> None:
    table = Table("t", {"k": value})

    assert table.duration("k", least=1) is None
    assert table.problems == (problem,)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("hihg", 't.k: "hihg" is no severity; did you mean "high"?'),
        ("urgent!", 't.k: "urgent!" is no severity; write low, medium, high or critical'),
        (3, "t.k: 3 is no severity; write low, medium, high or critical"),
        ([], "t.k: an array is no severity; write low, medium, high or critical"),
    ],
)
def test_a_choice_that_there_is_not(value: object, problem: str) -> None:
    table = Table("t", {"k": value})

    assert table.one_of("k", CHOICES, "severity") is None
    assert table.problems == (problem,)


def test_texts_and_flags() -> None:
    table = Table("t", {"a": " x ", "b": 3, "c": "", "d": True, "e": "yes", "f": False})

    assert [table.text("a"), table.text("b"), table.text("c"), table.text("z")] == ["x", None, None, None]
    assert [table.flag("d"), table.flag("e"), table.flag("f"), table.flag("z")] == [True, None, False, None]
    assert table.problems == (
        "t.b: 3 is not text; write it in quotes",
        "t.c: empty; write it in quotes",
        't.e: "yes" is neither true nor false; write true or false, without quotes',
    )


def test_problems_come_in_the_order_of_the_file_and_what_is_missing_last() -> None:
    table = Table("t", {"b": 1, "a": "x", "zz": 0})
    table.problem("missing", "missing", "write it")
    table.number("a")
    table.known(("a", "b"))
    table.text("b")

    assert [problem.partition(":")[0] for problem in table.problems] == ["t.b", "t.a", "t.zz", "t.missing"]


def test_unknown_keys_name_what_was_meant_or_what_there_is() -> None:
    table = Table("t", {"abov": 1, "colour": 2, "a b\nc": 3})

    assert table.known(("above", "below")) == ["above"]
    assert table.problems == (
        't.abov: unknown key; did you mean "above"?',
        "t.colour: unknown key; it takes above or below",
        't."a b\\nc": unknown key; it takes above or below',
    )


def test_a_variable_is_read_and_what_it_holds_never_shown() -> None:
    pasted = "whsec" + "_abc123def456"
    table = Table("t", {"a": "THE_URL", "b": "NO_URL", "c": "https://host/" + pasted, "d": pasted, "e": 5})
    environ = {"THE_URL": " https://host/x "}

    assert [table.variable(key, environ, "it is off") for key in "abcde"] == ["https://host/x", None, None, None, None]
    assert table.problems == (
        "t.b: NO_URL is not set; set it in the monitor's environment, it is off",
        "t.c: not the name of a variable; put the secret into one and write its name, it is off",
        "t.d: the variable it names is not set; set it in the monitor's environment, it is off",
        "t.e: not the name of a variable; put the secret into one and write its name, it is off",
    )
    assert table.unset == [table.problems[0], table.problems[2]]


@pytest.mark.parametrize("value", ["https://host/token", "x" * 41, "a\x1bb"])
def test_a_text_that_is_long_or_may_be_a_secret_is_not_repeated(value: str) -> None:
    assert Table("t", {}).shown(value) == "that text"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("https://hooks.slack.com/services/T/B/x", True),
        ("http://127.0.0.1:8080/x", True),
        ("hooks.slack.com/services", False),
        ("ftp://host/x", False),
        ("https:///x", False),
        ("https://host:99999/x", False),
        ("https://host/a b", False),
        ("https://[::1/x", False),
    ],
)
def test_a_web_address_has_a_scheme_and_a_host(text: str, is_one: bool) -> None:
    assert is_web_address(text) is is_one


def test_what_is_no_table_is_a_problem() -> None:
    problems: list[str] = []

    assert tables({"rule": {"x": {"above": 1}, "above": 3}}, "rule", problems) == {"x": {"above": 1}}
    assert tables({"rule": 3}, "rule", problems) == {}
    assert tables({}, "rule", problems) == {}
    assert problems == [
        "rule.above: not a table; write [rule.NAME] and below it the keys",
        "rule: not a table; write [rule.NAME]",
    ]
