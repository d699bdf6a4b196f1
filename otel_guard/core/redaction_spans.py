"""What the rules find, merged and replaced once: a span is where a secret starts, where it ends, and its kind."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from typing import Final

Span = tuple[int, int, str]
Finder = Callable[[str, str], Iterable[Span]]  # the text, and the text in lower case with the same positions
Row = tuple[str, Finder]  # a literal without which the finder is not asked

KINDS: Final = (  # where rules overlap, the earlier names the mark
    "card",
    "iban",
    "ssn",
    "email",
    "private_key",
    "jwt",
    "bearer",
    "basic",
    "stripe_key",
    "ai_key",
    "cloud_key",
    "code_token",
    "chat_token",
    "mail_key",
    "service_key",
    "authorization",
    "cookie",
    "url_password",
    "password",
    "secret",
    "token",
    "cvv",
    "phone",
    "account",
    "denied",
    "db_value",
)
FAILED: Final = "[redaction failed]"
_RANKS: Final = {kind: rank for rank, kind in enumerate(KINDS)}
_INVALID: Final = re.compile("[\x00\ud800-\udfff]")
_ASCII_LOWER: Final = {upper: upper + 32 for upper in range(65, 91)}


def mark(kind: str) -> str:
    """What stands in the text where a secret of *kind* was."""
    return f"[redacted:{kind}]"


def marks_of(kinds: Iterable[str]) -> re.Pattern[str]:
    """A pattern of the marks of the built-in kinds and of *kinds*: a mark that somebody invents is a text like any other."""
    names = "|".join(re.escape(kind) for kind in sorted({*KINDS, *kinds}))
    return re.compile(rf"\[redacted:(?:{names})\]|\[redaction failed\]")


def valid(text: str) -> str:
    r"""*text* with NUL as `\x00` and lone surrogates as `\udce9`."""
    if text.isascii():
        return text.replace("\x00", "\\x00") if "\x00" in text else text
    return _INVALID.sub(
        lambda found: f"\\x{ord(found[0]):02x}" if found[0] == "\x00" else f"\\u{ord(found[0]):04x}", text
    )


def lowered(text: str) -> str:
    """*text* in lower case, each character where it was."""
    low = text.lower()
    return low if len(low) == len(text) else text.translate(_ASCII_LOWER)


def blanked(text: str, marks: re.Pattern[str]) -> tuple[str, list[tuple[int, int]]]:
    """*text* with NULs in place of its marks, so that no rule sees them, and where they are."""
    places = [found.span() for found in marks.finditer(text)]
    if not places:
        return text, places
    return marks.sub(lambda found: "\x00" * len(found[0]), text), places


def merged(spans: Iterable[Span]) -> list[Span]:
    """The union of overlapping *spans*, named by the rule that stands first in `KINDS`."""
    union: list[Span] = []
    for start, end, kind in sorted(spans):
        if union and start < union[-1][1]:
            first, last, known = union[-1]
            union[-1] = (first, max(last, end), min(known, kind, key=_rank))
        elif end > start:
            union.append((start, end, kind))
    return union


def without_marks(spans: list[Span], text: str, places: list[tuple[int, int]]) -> list[Span]:
    """What of *spans* is not a mark already."""
    starts = [start for start, _ in places]
    rest: list[Span] = []
    for start, end, kind in spans:
        at = start
        index = max(0, bisect_right(starts, start) - 1)
        while index < len(places) and places[index][0] < end:
            rest.append((at, places[index][0], kind))
            at = max(at, places[index][1])
            index += 1
        rest.append((at, end, kind))
    return [(start, end, kind) for start, end, kind in rest if text[start:end].strip(" \t\r\n\"'\\,;:&=")]


def replaced(text: str, spans: list[Span], counts: dict[str, int]) -> str:
    """*text* with a mark for each of *spans* (merged), which are counted in *counts*."""
    parts: list[str] = []
    at = 0
    for start, end, kind in spans:
        parts += (text[at:start], mark(kind))
        counts[kind] = counts.get(kind, 0) + 1
        at = end
    parts.append(text[at:])
    return "".join(parts)


def windowed(spans: list[Span], start: int, end: int) -> list[Span]:
    """*spans* as seen in `text[start:end]`; what only reaches into the window has its mark there."""
    return [
        (max(first, start) - start, min(last, end) - start, kind)
        for first, last, kind in spans
        if last > start and first < end
    ]


def added(counts: dict[str, int], more: Mapping[str, int]) -> None:
    """Add *more* to *counts*."""
    for kind, count in more.items():
        counts[kind] = counts.get(kind, 0) + count


def _rank(kind: str) -> tuple[int, str]:
    return _RANKS.get(kind, len(KINDS)), kind
