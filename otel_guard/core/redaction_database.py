"""Values in the messages of databases: they go, the names of tables, columns and constraints stay."""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from otel_guard.core.redaction_spans import Finder, Row, Span, mark

_QUOTES: Final = "\"'«»\u201e\u201c\u201d\u2018\u2019\u201a\u2039\u203a「」『』`\uff02\uff07"
_STATUS_END: Final = re.compile(rf"[{_QUOTES}()\[\]{{}}<>\r\n]")
_QUOTED: Final = re.compile(rf"[{_QUOTES}](?:.*[{_QUOTES}]|.*)")
_SYNTAX: Final = frozenset({"42601", "42602", "42622"})  # these quote what was typed, which may be a value
_STRING: Final = re.compile(r"'(?:[^'\\\n]|''|\\.){0,4096}'?|(?<![\w.$%:(-])\d{4,}(?![\w.-])")
_SQL_END: Final = re.compile(r"\]\s*(?:\n|\\n|\Z|\(Background)|\n\[parameters|\\n\[parameters")
_LONGEST_SQL: Final = 16_384


class _Message(Struct, frozen=True):
    """A literal, what leads from it to the value, and what closes the value (the last on the line; else its end)."""

    literal: str
    lead: str
    close: str = ""


_MESSAGES: Final = (  # in lower case
    _Message(")=(", r"\)=\(", ")"),
    _Message("failing row", r"failing row \w+ \(", ")"),
    _Message("fehlgeschlagene zeile", r"fehlgeschlagene zeile \w+ \(", ")"),
    _Message("ligne en échec", r"ligne en échec \w+ \(", ")"),
    _Message(
        "invalid input",
        r"invalid input (?:syntax|value|for query argument)[^\n:\"']{0,80}(?:\"[^\"\n]*\"|'[^'\n]*')?: ",
    ),
    _Message("ungültige eingabe", r"ungültige eingabe[^\n:]{0,80}: "),
    _Message("entrée invalide", r"entrée invalide[^\n:]{0,80}: "),
    _Message("field value out of range", r"field value out of range: "),
    _Message('value "', r"value \"(?=[^\"\n]{1,4096}\" is out of range)", '" is'),
    _Message("wert »", r"wert »(?=[^«\n]{1,4096}« ist)", "« ist"),
    _Message("valeur «", r"valeur «\s?", "»"),
    _Message("[parameters:", r"\[parameters:\s?", "]"),
    _Message("duplicate entry", r"duplicate entry '", "' for key"),
    _Message("dup key", r"dup key:?\s?\{[\w.\"' ]{0,80}:\s?", "}"),
    _Message("duplicate key value is", r"duplicate key value is \(", ")"),
    _Message("incorrect ", r"incorrect [\w ]{1,30}value: '", "' for"),
    _Message(" parameter $", r" parameter \$\d{1,4} = "),
)
_LINES: Final = (  # as they are written
    _Message("LINE ", r"LINE \d{1,6}: "),
    _Message("ZEILE ", r"ZEILE \d{1,6}: "),
    _Message("LIGNE ", r"LIGNE \d{1,6} ?: "),
    _Message("CONTEXT:", r"CONTEXT:\s{1,4}COPY [^\n:]{1,200}: "),
    _Message("KONTEXT:", r"KONTEXT:\s{1,4}COPY [^\n:]{1,200}: "),
)


def database_text(
    sqlstate: str | None,
    primary: str,
    table: str | None = None,
    column: str | None = None,
    constraint: str | None = None,
) -> str:
    """The text of a database error out of its fields, in every server language.

    The first line of *primary*; what it quotes goes in class 22 and in syntax errors, which quote values. Detail, hint,
    context and `LINE n:` have no place in it. The caller still sends the text through the rules.
    """
    first = primary.strip().partition("\n")[0].rstrip()
    if sqlstate is not None and (sqlstate.startswith("22") or sqlstate in _SYNTAX):
        first = _QUOTED.sub(mark("db_value"), first)
    fields = (("SQLSTATE", sqlstate), ("table", table), ("column", column), ("constraint", constraint))
    known = ", ".join(f"{name} {value}" for name, value in fields if value)
    return f"{first} ({known})" if known else first


def first_line_of_status(text: str) -> str:
    """The first line of *text* up to its first quotation mark of any script or bracket."""
    return _STATUS_END.split(text.lstrip(), maxsplit=1)[0].rstrip(" \t:;,-=")


def _finder(message: _Message, *, in_lower_case: bool) -> Finder:
    lead = re.compile(message.lead)
    line = re.compile(r"(?:[^\n\\]|\\(?!n)){1,8192}")

    def find(text: str, low: str) -> Iterator[Span]:
        where = low if in_lower_case else text
        at = where.find(message.literal)
        while at >= 0:
            end = at + len(message.literal)
            led = lead.match(where, at)
            value = line.match(where, led.end()) if led is not None else None
            if value is not None:
                start, end = value.span()
                closing = where.rfind(message.close, start, end) if message.close else -1
                end = closing if closing > start else end
                yield start, end, "db_value"
            at = where.find(message.literal, end)

    return find


def _sql(text: str, low: str) -> Iterator[Span]:
    """Literals in the statement that SQLAlchemy shows."""
    at = low.find("[sql:")
    while at >= 0:
        found = _SQL_END.search(text, at, at + _LONGEST_SQL)
        end = found.start() if found is not None else min(len(text), at + _LONGEST_SQL)
        for literal in _STRING.finditer(text, at, end):
            yield *literal.span(), "db_value"
        at = low.find("[sql:", max(end, at + 5))


ROWS: Final[tuple[Row, ...]] = (  # literals in lower case
    *((message.literal, _finder(message, in_lower_case=True)) for message in _MESSAGES),
    ("[sql:", _sql),
)
LINE_ROWS: Final[tuple[Row, ...]] = tuple((line.literal, _finder(line, in_lower_case=False)) for line in _LINES)
