from typing import Any

import pytest

from otel_guard.monitor.failing import LONGEST, Failing, said

KEY = "sk_" + "live_" + "4eC39HqLyjWDarjtT1zdp7dc"


def test_the_third_time_in_a_row_counts_and_a_verdict_ends_it() -> None:
    failing = Failing({}, ["a"])
    found = []
    for why in ("one", "two", "three", None, "four"):
        failing.note("a", why)
        found.append(failing.reasons())

    assert found == [{}, {}, {"a": "three"}, {}, {}]


def test_it_goes_on_from_the_last_heartbeat_but_for_rules_that_are_gone() -> None:
    failing = Failing({"failing": {"a": {"n": 2, "why": "x"}, "gone": {"n": 9, "why": "x"}}}, ["a", "b"])
    failing.note("a", "again")
    failing.note("b", "first")

    assert failing.reasons() == {"a": "again"}
    assert failing.counts == {"a": {"n": 3, "why": "again"}, "b": {"n": 1, "why": "first"}}


@pytest.mark.parametrize(
    "detail", [{}, {"failing": None}, {"failing": 3}, {"failing": {"a": 1, "b": {"n": "2", "why": ""}}}]
)
def test_what_another_release_wrote_otherwise_is_forgotten(detail: dict[str, Any]) -> None:
    assert Failing(detail, ["a", "b"]).counts == {}


def test_a_reason_is_one_short_line_without_secrets() -> None:
    text = said(ValueError(f"line\n two {KEY} " + "x" * 1000))

    assert text.startswith("line two ")
    assert KEY not in text
    assert len(text) <= LONGEST
    assert said(KeyError()) == "KeyError"
