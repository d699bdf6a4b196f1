"""Values that follow a secret key, in every form in which a key and its value are written."""

import re
from collections.abc import Iterator
from typing import Final

from otel_guard.core.redaction_keys import Keys
from otel_guard.core.redaction_plain import SIGNATURE, is_signature, plain_end
from otel_guard.core.redaction_spans import Finder, Row, Span

_QUOTE: Final = r"\\{0,7}[\"'`]|&quot;|&apos;|&#3[49];|&#x2[27];|%2[27]|\\{1,4}u002[27]"
_BLANK: Final = r"(?:[ \t]{0,8}|%20)"
_TYPE: Final = r":\s?(?:str|bytes|int|SecretStr|Any|Optional\[str\])(?:\s?\|\s?None)?\s?=\s?"
_NOUN: Final = "(?:[nN]umber|[nN]o|[cC]ode|[iI][dD]|[kK]ey|NUMBER|CODE|KEY)"
_AFTER: Final = re.compile(
    rf"(?P<rest>[\w.-]{{0,40}}+(?: {_NOUN}\b)?)(?P<close>{_QUOTE})?(?:\]|%5[dD])?\)?(?:"
    rf"(?P<type>{_TYPE})"
    rf"|{_BLANK}(?P<sep>=>|:=|={{1,3}}|:(?!:)|%3[dDaA])(?:{_BLANK}|\s{{0,40}}(?=[\"']))"
    r"|(?P<name>\s?,?\s{0,8}[\"']?value[\"']?\s?[=:]\s?(?=[\"']))"
    r"|\s?,\s?(?P<pair>(?=[bu]?\\{0,7}[\"']))"
    r"|(?P<tag>(?:\s[^<>\n]{0,100})?>|&gt;)"
    r"|[ \t]{1,3}(?:(?P<is>(?:[iI][sS]|was|are)(?: set to| now)?[ \t]{1,3}:?[ \t]?)|(?P<blank>(?=[\"'\w/+~.-])))"
    r")"
)
_MAYBE: Final = re.compile(rf"[\w.-]{{0,40}}+(?:[^\w\s]|[ \t]+(?:[^\w\s]|(?:[iI][sS]|was|are|{_NOUN})\b))")
_QUOTED: Final = re.compile(rf"(?:[bBuUrRfF]{{1,2}}(?=[\\\"']))?(?P<quote>{_QUOTE})")
_WORD_BEFORE: Final = re.compile(r"([A-Za-z]{2,12}) $")
_SIMPLE: Final = {
    '"': re.compile(r'(?:[^"\\\n]|\\.){0,8192}'),
    "'": re.compile(r"(?:[^'\\\n]|\\.){0,8192}"),
    "`": re.compile(r"[^`\n]{0,8192}"),
}
_KEPT: Final = re.compile(  # in quotes: nothing, a placeholder, a mask, the name of a type
    r"(?:\w{1,12}\s)?(?:|\*+|\.{3}|%\(?\w*\)?s|\$?\{[^{}]*\}|\{\{[^{}]*\}\}|<[^<>]*>|\[[^\[\]]*\]|\?|\$\d+|:\w+|none|null|true|false"
    r"|str|string|bytes|\[filtered\]|\W+)",
    re.IGNORECASE,
)
_NAME_CHARS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
_LONGEST_KEY: Final = 64
_LONGEST_VALUE: Final = 8192
_BEFORE_PAIR: Final = re.compile(r"[(\[]\s?[bu]?\\{0,7}[\"']$")
_AFTER_PAIR: Final = re.compile(r"\s?,?\s?[)\]]")
_HEADERS: Final = frozenset({"authorization", "cookie"})


def rows(keys: Keys) -> Iterator[Row]:
    """A row for each stem of *keys*."""
    return ((stem, _finder(stem, keys)) for stem in keys.stems)


def _finder(stem: str, keys: Keys) -> Finder:
    def find(text: str, low: str) -> Iterator[Span]:
        at = low.find(stem)
        while at >= 0:
            end = at + len(stem)
            is_near = _MAYBE.match(text, end) is not None or text.rfind("--", max(0, at - 40), at) >= 0
            after = _AFTER.match(text, end) if is_near else None
            if after is not None:
                span = _pair(text, at, after, keys)
                if span is not None:
                    yield span
                    end = max(end, span[1])
            at = low.find(stem, end)

    return find


def _pair(text: str, at: int, after: re.Match[str], keys: Keys) -> Span | None:
    before = text[max(0, at - _LONGEST_KEY) : at]
    start = at - len(before) + len(before.rstrip(_NAME_CHARS))
    key = text[start : after.end("rest")]
    kind = keys.kind(key)
    if kind is None:
        word = _WORD_BEFORE.search(text, max(0, start - 13), start)  # API key: …
        kind = keys.kind(f"{word[1]} {key}") if word is not None else None
        if kind is None or after["blank"] is not None:
            return None
    end = _value_end(text, start, after, key, kind)
    return (end[0], end[1], kind) if end is not None else None


def _value_end(text: str, start: int, after: re.Match[str], key: str, kind: str) -> tuple[int, int] | None:
    """Where the value of the key at *start* is; None if what follows is none."""
    at = after.end()
    how = after.lastgroup
    if how == "tag":
        return _element(text, start, at)
    if how == "pair" and not _BEFORE_PAIR.search(text, max(0, start - 12), start):
        return None
    quoted = _QUOTED.match(text, at)
    if how == "blank":
        is_option = text[max(0, start - 2) : start].endswith("--") or key.startswith("--")
        if not is_option and (quoted is None or kind != "password"):
            return None
    if quoted is not None:
        if after["close"] is None and text[start - 1 : start] == quoted["quote"]:  # 'Cookie:' closes there
            return None
        if is_signature(key) and not SIGNATURE.match(text, quoted.end()):
            return None
        return _in_quotes(text, quoted, is_pair=how == "pair")
    if how in {"pair", "name"}:
        return None
    quote = text[start - 1 : start] if kind in _HEADERS else ""
    is_prose = how == "is" or (after["sep"] or "").startswith(":")
    end = plain_end(text, at, key=key, kind=kind, start=start, is_prose=is_prose, is_is=how == "is", quote=quote)
    return (at, end) if end > at else None


def _element(text: str, start: int, at: int) -> tuple[int, int] | None:
    """`<password>x</password>`, escaped too."""
    opening = text[max(0, start - 24) : start]
    sign = max(opening.rfind("<"), opening.rfind("&lt;"))
    if sign < 0 or opening[sign:].removeprefix("<").removeprefix("&lt;").strip(_NAME_CHARS + ":"):
        return None
    end = text.find("<" if text[at - 1] == ">" else "&lt;", at, at + _LONGEST_VALUE)
    return (at, end) if end > at and not _KEPT.fullmatch(text[at:end]) else None


def _in_quotes(text: str, quoted: re.Match[str], *, is_pair: bool) -> tuple[int, int] | None:
    quote, start = quoted["quote"], quoted.end()
    simple = _SIMPLE.get(quote)
    if simple is not None:
        found = simple.match(text, start)
        end = found.end() if found is not None else start
    else:
        end = _closing(text, quote, start)
    if is_pair and not _AFTER_PAIR.match(text, end + len(quote)):
        return None
    return (start, end) if end > start and not _KEPT.fullmatch(text[start : min(end, start + 200)]) else None


def _closing(text: str, quote: str, start: int) -> int:
    """The same *quote* again, not one that is escaped deeper; else the end of the line."""
    limit = min(len(text), start + _LONGEST_VALUE)
    at = text.find(quote, start, limit)
    while at > start and quote.startswith("\\") and text[at - 1] == "\\":
        at = text.find(quote, at + 1, limit)
    end = at if at >= 0 else limit
    line = text.find("\n", start, end)
    return line if line >= 0 else end
