"""Rules of the settings: checked once, then run beside the built-in ones."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Protocol

from otel_guard.core.redaction_spans import KINDS, Finder, Row, Span

LONGEST_PATTERN: Final = 500
LONGEST_TEXT: Final = 65_536
LONGEST_RUN_S: Final = 0.02
_KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_SHORTEST_TRIGGER: Final = 2
_REPEAT: Final = re.compile(r"[*+]|\{\d*,?\d*\}")
_SINGLE: Final = re.compile(r"\?|\{[01]?,?1\}")


class RuleSettings(Protocol):
    """A `[[redaction.rule]]` row."""

    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def trigger(self) -> str: ...  # noqa: D102
    @property
    def pattern(self) -> str: ...  # noqa: D102


def check_rule(kind: str, trigger: str, pattern: str, seconds: Callable[[], float] | None = None) -> str | None:
    """Why a rule is refused, beginning with the setting at fault; None if it is good.

    With *seconds*, a clock, the pattern is also run on hostile texts of growing size, up to 64 KiB in 20 ms.
    """
    if not _KIND.fullmatch(kind):
        return f"kind {kind!r} is not a name: write lower-case letters, digits and _"
    if kind in KINDS:
        return f"kind {kind!r} is a built-in one: choose another name"
    if len(trigger.strip()) < _SHORTEST_TRIGGER:
        return "trigger is missing: write a literal of two characters or more that each match holds"
    if not pattern or len(pattern) > LONGEST_PATTERN:
        return f"pattern has {len(pattern)} characters: write 1 to {LONGEST_PATTERN}"
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return f"pattern is not a regular expression ({error}): correct it"
    if compiled.match("") is not None:
        return "pattern matches nothing: make it match at least one character"
    if _has_nested_repeat(pattern):
        return "pattern repeats a group that repeats: take the inner or the outer repeat away"
    return _slow(compiled, trigger, seconds) if seconds is not None else None


def good(rules: Iterable[RuleSettings]) -> tuple[RuleSettings, ...]:
    """The rules that stand the check without a clock."""
    return tuple(rule for rule in rules if check_rule(rule.kind, rule.trigger, rule.pattern) is None)


def rows(rules: Iterable[RuleSettings]) -> Iterator[Row]:
    """Checked rules as rows of the scan."""
    return ((rule.trigger.lower(), _finder(rule.kind, re.compile(rule.pattern))) for rule in rules)


def _finder(kind: str, pattern: re.Pattern[str]) -> Finder:
    group = "value" if "value" in pattern.groupindex else 0

    def find(text: str, _low: str) -> Iterator[Span]:
        for found in pattern.finditer(text):
            start, end = found.span(group)
            if end > start:
                yield start, end, kind

    return find


def _has_nested_repeat(pattern: str) -> bool:
    """Tell whether a group with a repeat in it, or a choice in it, is repeated itself."""
    plain = re.sub(r"\\.", "a", pattern, flags=re.DOTALL)
    plain = re.sub(r"\[\^?\]?[^\]]*\]", "a", plain)
    within: list[bool] = []
    at = 0
    while at < len(plain):
        char = plain[at]
        if char == "(":
            within.append(False)
        elif char == ")" and within:
            is_repeating = within.pop()
            repeat = _REPEAT.match(plain, at + 1)
            is_repeated = repeat is not None and not _SINGLE.fullmatch(repeat[0])
            if is_repeating and is_repeated:
                return True
            if within and (is_repeating or is_repeated):
                within[-1] = True
        elif within and (char == "|" or ((repeat := _REPEAT.match(plain, at)) and not _SINGLE.fullmatch(repeat[0]))):
            within[-1] = True
        at += 1
    return False


def _slow(pattern: re.Pattern[str], trigger: str, seconds: Callable[[], float]) -> str | None:
    size = 64
    while size <= LONGEST_TEXT:
        for unit in (trigger, trigger + "a", "a", "1", " ", "a1-_.", trigger + "1 ", '"', "(", "=\n"):
            hostile = (trigger + unit * size)[:size] + "\x00"
            before = seconds()
            for _ in pattern.finditer(hostile):
                pass
            if seconds() - before > LONGEST_RUN_S:
                return f"pattern needs more than 20 ms for {size} characters: bound its repeats, as in {{1,64}}"
        size *= 2
    return None
