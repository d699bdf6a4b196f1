"""Cards, bank accounts and social security numbers: one scan of the digits finds all three."""

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from otel_guard.core.redaction_iban import iban_end
from otel_guard.core.redaction_spans import Span

_GAP: Final = "[ \u00a0\u2007\u2009\u202f.\\-\u2010\u2011\u2012\u2013\u2014\u2212]"
_RUN: Final = re.compile(rf"\d(?:(?:{_GAP}|\r?\n)?\d)++")
_ROUGH: Final = re.compile(
    rf"\d(?:(?:[\d\r\n]|{_GAP}){{10,}}+|\d(?<=[a-z][a-z]\d\d))"
)  # digits enough, or an IBAN's start
_ASCII_ROUGH: Final = re.compile(r"[0-9](?:[0-9 .\-\r\n]{10,}+|[0-9](?<=[a-z][a-z][0-9][0-9]))")
_GROUP: Final = re.compile(r"\d+")
_SSN: Final = re.compile(r"(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?!\d|-\d)")
_HEX_WORD: Final = frozenset({16, 20, 24, 28, 32, 40, 48, 56, 64, 96, 128})
_LETTERS: Final = "0123456789abcdefghijklmnopqrstuvwxyz_"
_DASHED_LETTERS: Final = _LETTERS + "-"
_HEX: Final = frozenset("0123456789abcdef")
_DASHED: Final = re.compile(  # ids that may hold nothing but digits: a UUID, a traceparent
    r"(?<![0-9a-f])(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})(?![0-9a-f])"
)
_ID_KEY: Final = re.compile(r"(?:trace|span)[_.-]?id[\"']?\s?[:=]\s?[\"']?$")
_UUID, _TRACEPARENT = 36, 55
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_LEAST, _SSN_LENGTH, _COUNTRY = 13, 11, 2
_FAR: Final = 24

_ISSUERS: Final[tuple[tuple[int, int, int, frozenset[int]], ...]] = (  # first and last prefix, its length, card lengths
    (4, 4, 1, frozenset({13, 16, 19})),
    (51, 55, 2, frozenset({16})),
    (2221, 2720, 4, frozenset({16})),
    (34, 34, 2, frozenset({15})),
    (37, 37, 2, frozenset({15})),
    (300, 305, 3, frozenset({14, 16, 19})),
    (3095, 3095, 4, frozenset({14, 16, 19})),
    (36, 36, 2, frozenset({14, 16, 19})),
    (38, 39, 2, frozenset({14, 16, 19})),
    (6011, 6011, 4, frozenset({16, 17, 18, 19})),
    (644, 649, 3, frozenset({16, 17, 18, 19})),
    (65, 65, 2, frozenset({16, 17, 18, 19})),
    (3528, 3589, 4, frozenset({16, 17, 18, 19})),
    (62, 62, 2, frozenset({16, 17, 18, 19})),
    (81, 82, 2, frozenset({16})),
    (2200, 2205, 4, frozenset({16, 17, 18, 19})),
    (50, 50, 2, frozenset({13, 14, 15, 16, 17, 18, 19})),
    (56, 58, 2, frozenset({13, 14, 15, 16, 17, 18, 19})),
    (60, 61, 2, frozenset({16, 17, 18, 19})),
    (63, 63, 2, frozenset({16, 17, 18, 19})),
    (67, 67, 2, frozenset({13, 14, 15, 16, 17, 18, 19})),
    (9792, 9792, 4, frozenset({16})),
)


def _lengths() -> dict[int, frozenset[int]]:
    known: dict[int, frozenset[int]] = {}
    for first, last, size, lengths in _ISSUERS:
        width = 10 ** (4 - size)
        for four in range(first * width, (last + 1) * width):
            known[four] = known.get(four, frozenset()) | lengths
    return known


_LENGTHS: Final = _lengths()  # of cards, by their first four digits


def find(text: str, low: str) -> Iterator[Span]:
    """Cards of 13 to 19 digits of any script, IBANs in either case, SSNs with dashes."""
    done = 0
    for rough in (_ASCII_ROUGH if low.isascii() else _ROUGH).finditer(low):
        start, end = rough.span()
        ends = iban_end(low, start - 2) if start >= _COUNTRY else 0
        if ends and start >= done:
            done = ends
            yield start - _COUNTRY, ends, "iban"
        elif end - start >= _SSN_LENGTH and start >= done:
            for run in _RUN.finditer(low, start, end):
                yield from _ssns(text, *run.span())
                yield from _cards(low, *run.span())


def _ssns(text: str, start: int, end: int) -> Iterator[Span]:
    if "-" in text[start:end]:
        for found in _SSN.finditer(text, start, end):
            yield *found.span(), "ssn"


def _cards(low: str, start: int, end: int) -> Iterator[Span]:
    if end - start < _LEAST:
        return
    groups = [found.span() for found in _GROUP.finditer(low, start, end)]
    digits = _digits(low[start:end])
    if len(digits) < _LEAST:
        return
    even = [0, *accumulate(_DOUBLED[digit] if at % 2 else digit for at, digit in enumerate(digits))]
    odd = [0, *accumulate(digit if at % 2 else _DOUBLED[digit] for at, digit in enumerate(digits))]
    begins = [0, *accumulate(last - first for first, last in groups)]
    ends = {end: at for at, end in enumerate(begins[1:])}
    at = 0
    while at < len(groups):
        last = _card_from(low, groups, begins, ends, digits, (even, odd), at)
        if last is None:
            at += 1
        else:
            yield groups[at][0], groups[last][1], "card"
            at = last + 1


def _digits(run: str) -> list[int]:
    if run.isascii():
        return [code - 48 for code in run.encode() if code >= 48]  # noqa: PLR2004 # behind the gaps
    return [int(char) for char in run if char.isdigit()]


def _card_from(
    low: str,
    groups: list[tuple[int, int]],
    begins: list[int],
    ends: dict[int, int],
    digits: list[int],
    sums: tuple[list[int], list[int]],
    first: int,
) -> int | None:
    """The last group of the longest card that starts with group *first*."""
    begin = begins[first]
    if len(digits) - begin < _LEAST:
        return None
    a, b, c, d = digits[begin : begin + 4]
    lengths = _LENGTHS.get(a * 1000 + b * 100 + c * 10 + d)
    if not lengths:
        return None
    found = None
    for length in lengths:
        last = ends.get(begin + length)
        sum_of = sums[(begin + length - 1) % 2]
        if (
            last is not None
            and (sum_of[begin + length] - sum_of[begin]) % 10 == 0
            and _is_spelled(low, groups, first, last)
        ):
            found = last if found is None else max(found, last)
    if found is None or len(set(digits[begin : begins[found + 1]])) == 1:
        return None
    return None if _is_id(low, groups[first][0], groups[found][1]) else found


def _is_spelled(low: str, groups: list[tuple[int, int]], first: int, last: int) -> bool:
    """Tell a spelling of one number from several numbers that stand side by side, and from a decimal."""
    gaps = [low[groups[at][1] : groups[at + 1][0]] for at in range(first, last)]
    plain = [gap for gap in gaps if "\n" not in gap]
    if len(gaps) - len(plain) > 1 or len(set(plain)) > 1:
        return False
    if plain == ["."]:  # 4.242424242424242
        return False
    before = groups[first][0]
    return not (before >= 2 and low[before - 1] == "." and low[before - 2].isdigit() and "." not in plain)  # noqa: PLR2004


def _is_id(low: str, start: int, end: int) -> bool:
    """A piece of a hex word, of a UUID, of a `traceparent`, or the value of a trace or span id."""
    word = _word(low, start, end, _LETTERS, 128)
    if len(word) > end - start and len(word) in _HEX_WORD and _HEX.issuperset(word):
        return True
    token = _word(low, start, end, _DASHED_LETTERS, _TRACEPARENT)
    if len(token) >= _UUID and _DASHED.search(token):
        return True
    before = low[max(0, start - _FAR) : start]
    return "id" in before and _ID_KEY.search(before) is not None


def _word(low: str, start: int, end: int, chars: str, reach: int) -> str:
    """`low[start:end]` with what of *chars* touches it."""
    left, right = low[max(0, start - reach) : start], low[end : end + reach]
    return left[len(left.rstrip(chars)) :] + low[start:end] + right[: len(right) - len(right.lstrip(chars))]
