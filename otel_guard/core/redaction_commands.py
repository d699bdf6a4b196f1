"""Passwords on command lines and in SQL, where no key names them."""

import re
from collections.abc import Iterator
from typing import Final

from otel_guard.core.redaction_spans import Finder, Row, Span

_VALUE: Final = r"(?P<quote>[\"']?)(?P<value>[^\s\"']{1,256})"
_COMMANDS: Final = (  # a literal in lower case, the pattern from its start
    ("mysql", r"mysql\w{0,20}\b(?:[ \t]+[^\s]{1,200}){0,12}?[ \t]+-p" + _VALUE),
    ("mariadb", r"mariadb[\w-]{0,20}(?:[ \t]+[^\s]{1,200}){0,12}?[ \t]+-p" + _VALUE),
    ("sshpass", r"sshpass[ \t]+-p[ \t]?" + _VALUE),
    (
        "curl",
        r"curl\b(?:[ \t]+[^\s]{1,300}){0,12}?[ \t]+(?:-u|--user)[ \t=]?[\"']?[^\s:\"']{1,80}:(?P<value>[^\s\"']{1,256})",
    ),
    ("identified by", r"identified by (?P<quote>[\"'])(?P<value>[^\n\"']{1,256})"),
    ("redis-cli", r"redis-cli\b(?:[ \t]+[^\s]{1,200}){0,12}?[ \t]+-a[ \t]+" + _VALUE),
)


def _finder(literal: str, pattern: re.Pattern[str]) -> Finder:
    def find(text: str, low: str) -> Iterator[Span]:
        at = low.find(literal)
        while at >= 0:
            found = pattern.match(text, at)
            end = at + len(literal)
            if found is not None:
                end = found.end()
                yield *found.span("value"), "password"
            at = low.find(literal, end)

    return find


ROWS: Final[tuple[Row, ...]] = tuple(
    (literal, _finder(literal, re.compile(pattern, re.IGNORECASE))) for literal, pattern in _COMMANDS
)
