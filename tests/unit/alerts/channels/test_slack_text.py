import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_guard.alerts.channels._slack_text import code, cut, joined, link, number, size


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("a & <b>", 100, "a &amp; &lt;b&gt;"),
        ("abcdef", 6, "abcdef"),
        ("abcdefg", 6, "abcde…"),
        ("abc&", 6, "abc…"),
        ("ab&", 7, "ab&amp;"),
        ("&&&", 7, "&amp;…"),
        ("🔥🔥🔥", 5, "🔥🔥…"),
        ("  padded ", 20, "padded"),
    ],
)
def test_text_is_escaped_and_cut_between_two_characters(text: str, limit: int, shown: str) -> None:
    assert cut(text, limit) == shown


@given(st.text(alphabet="ab&<>🔥 \n", max_size=60), st.integers(min_value=2, max_value=40))
def test_no_cut_text_is_too_long_or_breaks_an_escape(text: str, limit: int) -> None:
    made = cut(text, limit)

    assert size(made) <= limit
    assert text.strip().startswith(html.unescape(made).removesuffix("…"))


def test_only_whole_lines_are_kept() -> None:
    assert joined(["abc", "def", "ghi"], 8) == "abc\ndef"


def test_code_stays_on_one_line_between_its_backticks() -> None:
    assert code("SELECT `a`\n FROM  b", 100) == "`SELECT 'a' FROM b`"
    assert size(code("x" * 100, 20)) == 20


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (None, ""),
        ("https://h/a?b=1&c=|", "<https://h/a?b=1&amp;c=%7C|Open>"),
        ("https://h/" + "x" * 100, ""),
    ],
)
def test_a_link_is_whole_or_not_there(url: str | None, shown: str) -> None:
    assert link(url, "Open", 60) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(37.0, "37"), (0.0512, "0.0512"), (0.05123, "0.0512"), (1840.6, "1841"), (99.25, "99.2"), (None, "-")],
)
def test_numbers_read_as_people_write_them(value: float | None, shown: str) -> None:
    assert number(value) == shown


def test_what_is_no_number_is_a_dash() -> None:
    assert number(float("nan")) == "-"
