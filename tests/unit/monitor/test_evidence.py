"""How foreign text stands in Markdown, and what becomes of questions without an answer."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from otel_guard.core.exceptions import StoreUnavailableError
from otel_guard.monitor.evidence import EVIDENCE, NOT_AVAILABLE, Source, gathered
from otel_guard.monitor.exhibits._base import code, listed, said
from otel_guard.monitor.judges._base import Ask

NOON = datetime(2025, 3, 3, 12, 0, tzinfo=UTC)


class Hands:
    """A clock that moves by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def now_ms(self) -> int:
        return int(self.now * 1000)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (None, ""),
        ("", ""),
        ("web", "`web`"),
        ("a\n  b", "`a b`"),
        ("`x`", "`'x'`"),
        ("red \x1b[31m", r"`red \x1b[31m`"),
        ("x" * 300, f"`{'x' * 199}…`"),
    ],
)
def test_foreign_text_is_one_line_of_code(given: object, shown: str) -> None:
    assert code(given) == shown


@pytest.mark.parametrize(
    "text", ["5 of 12 payments failed (41.7 %)", "error_burst in web", "by pid 7, ana: 3 min", "a/b.py:88"]
)
def test_a_harmless_sentence_stays_as_it_is(text: str) -> None:
    assert said(text) == text


@pytest.mark.parametrize("text", ["*bold*", "_it_", "[a](b)", "<b>", "# title", "- item", "1. one", "a | b", "&amp;"])
def test_a_sentence_with_markup_becomes_code(text: str) -> None:
    assert said(text) == f"`{text}`"


def test_a_long_list_says_how_much_is_left_out() -> None:
    assert listed(["- a", "- b", "- c"], "none", 2) == "- a\n- b\n- and 1 more"
    assert listed([], "none") == "none"


def test_a_question_without_an_answer_is_not_available_and_the_others_go_on() -> None:
    def asking(_ms: int) -> Ask:
        def ask(name: str, _parameters: Mapping[str, object]) -> list[dict[str, Any]]:
            if name == "select_switches":
                raise StoreUnavailableError
            return [{"now": NOON}] if name == "incident_now" else []

        return ask

    found = gathered(["switches", "queues", "no_such_name"], Source(store=asking), Hands())

    assert found["switches"] == found["no_such_name"] == NOT_AVAILABLE
    assert found["queues"].startswith("No queue is watched")


def test_an_answer_has_a_second_and_all_of_them_ten() -> None:
    clock, given = Hands(), list[int]()

    def asking(left_ms: int) -> Ask:
        def ask(_name: str, _parameters: Mapping[str, object]) -> list[dict[str, Any]]:
            given.append(left_ms)
            clock.sleep(0.6)
            return [{"now": NOON}]

        return ask

    found = gathered(["error_rates"] * 3 + list(EVIDENCE), Source(store=asking), clock)

    assert given[:2] == [1000, 400]
    assert max(given) <= 1000
    assert set(found.values()) == {NOT_AVAILABLE}
    assert clock.now <= 11
