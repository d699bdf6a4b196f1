from datetime import timedelta

import pytest

from otel_guard.cli._base import Problem, ago, now, place, plain, problem_of, seconds_of, times
from otel_guard.core.exceptions import SchemaError, SettingsError, StoreUnavailableError


@pytest.mark.parametrize(
    ("span", "seconds"), [("90s", 90), ("30m", 1800), ("24h", 86400), (" 7D ", 604800), ("2w", 1209600)]
)
def test_a_span_of_time_is_read(span: str, seconds: int) -> None:
    assert seconds_of(span) == seconds


@pytest.mark.parametrize("span", ["", "3", "x", "-1h", "1y", "1.5h", "9999999h"])
def test_another_span_is_a_usage_problem(span: str) -> None:
    with pytest.raises(Problem, match="write 30m, 24h or 7d") as caught:
        seconds_of(span)

    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s ago"),
        (119, "119 s ago"),
        (120, "2 min ago"),
        (7199, "119 min ago"),
        (7200, "2 h ago"),
        (172800, "2 d ago"),
    ],
)
def test_the_past_is_told_in_one_unit(seconds: int, text: str) -> None:
    assert ago(now() - timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"code.file.path": "a.py", "code.line.number": 3, "code.function.name": "f"}, "a.py:3 in f"),
        ({"code.file.path": "a.py", "code.line.number": 3}, "a.py:3"),
        ({"file": "a.py", "line": 3}, "a.py:3"),
        ("a.py:3", "a.py:3"),
        (None, ""),
    ],
)
def test_a_place_is_file_and_line(value: object, text: str) -> None:
    assert place(value) == text


def test_control_characters_and_markup_are_shown_as_they_are() -> None:
    assert plain("[red]\x1b[2J\r\u202e\n").plain == "[red]\\x1b[2J\\r\\u202e\n"


@pytest.mark.parametrize(
    ("error", "problem", "do", "code"),
    [
        (
            StoreUnavailableError("Postgres (h): gone"),
            "Postgres (h): gone",
            "start Postgres, or correct OTEL_GUARD_DSN",
            69,
        ),
        (
            SchemaError("Postgres (h): no table: run `otel-guard migrate`"),
            "Postgres (h): no table",
            "run `otel-guard migrate`",
            2,
        ),
        (SettingsError("alone"), "alone", "", 2),
        (KeyError("x"), "otel-guard failed: KeyError: 'x'", "set OTEL_GUARD_STRICT=1 to see where", 1),
        (Problem("p", "d", 1), "p", "d", 1),
    ],
)
def test_each_error_is_a_problem_with_its_exit_code(error: Exception, problem: str, do: str, code: int) -> None:
    found = problem_of(error)

    assert (found.problem, found.do, found.code) == (problem, do, code)


def test_once_is_not_one_times() -> None:
    assert (times(1), times(31)) == ("once", "31 times")
