"""Rules of the settings: what is refused and why, and what a good one does."""

from itertools import count

import pytest
from msgspec import Struct

from otel_guard.core.redaction import Redactor, check_rule


class Rule(Struct, frozen=True):
    """A row of the file."""

    kind: str
    trigger: str
    pattern: str


@pytest.mark.parametrize(
    ("kind", "trigger", "pattern", "at_fault"),
    [
        ("Employee", "EMP-", r"EMP-\d{6}", "kind"),
        ("card", "EMP-", r"EMP-\d{6}", "kind"),
        ("employee", "", r"EMP-\d{6}", "trigger"),
        ("employee", "E", r"EMP-\d{6}", "trigger"),
        ("employee", "EMP-", "", "pattern"),
        ("employee", "EMP-", "a" * 501, "pattern"),
        ("employee", "EMP-", "(", "pattern"),
        ("employee", "EMP-", "x*", "pattern"),
        ("employee", "EMP-", "(a+)+b", "pattern"),
        ("employee", "EMP-", "(?:a|a)*b", "pattern"),
        ("employee", "EMP-", "((?:ab{2,})c){3,}", "pattern"),
    ],
)
def test_a_bad_rule_is_refused_by_the_setting_at_fault(kind: str, trigger: str, pattern: str, at_fault: str) -> None:
    why = check_rule(kind, trigger, pattern)

    assert why is not None
    assert why.startswith(at_fault)


@pytest.mark.parametrize("pattern", [r"EMP-\d{6}", r"EMP-(?:a|b)?[+*]x", r"EMP-\(a+\)+", r"(?:EMP|emp)-\d+"])
def test_a_good_rule_is_accepted(pattern: str) -> None:
    assert check_rule("employee", "EMP-", pattern) is None


def test_a_rule_that_needs_long_is_refused() -> None:
    ticks = count(0.0, 0.03)

    assert "20 ms" in (check_rule("employee", "EMP-", r"EMP-\d{6}", lambda: next(ticks)) or "")


def test_a_rule_marks_what_it_finds_and_a_bad_one_is_left_out() -> None:
    rules = [
        Rule("employee", "EMP-", r"EMP-\d{6}"),
        Rule("bad", "xx", "("),
        Rule("room", "room ", r"room (?P<value>\w+)"),
    ]
    redactor = Redactor(rules=rules)
    safe = redactor.text("EMP-123456 in room B12, password=hunter2")

    assert safe == "[redacted:employee] in room [redacted:room], password=[redacted:password]"
    assert redactor.text(safe) == safe
    assert redactor.counts == {"employee": 1, "room": 1, "password": 1}
