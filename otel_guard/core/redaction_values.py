"""JSON-like values without their secrets: whatever comes in, what comes out can be written, is bounded and has no cycle."""

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Final

DEPTH: Final = 16
KEYS: Final = 256
_MOST_NODES: Final = 4096
_MOST_CHARACTERS: Final = 262_144
_INT64: Final = 2**63
_SHORTEST_CARD: Final = 10**12
_PAIR: Final = 2
_MARK: Final = re.compile(r"\[(?:redacted:[a-z0-9_]{0,40}|redaction failed)?\]?")

KindOf = Callable[[str], str | None]
Redact = Callable[[str, bool], str]  # the text, and whether its key is one that the settings let stand


class Walk:
    """One walk through one value; it holds what is left of the budget."""

    def __init__(
        self, redact: Redact, kind_of: KindOf, is_allowed: Callable[[str], bool], hide: Callable[[str], str]
    ) -> None:
        self._redact = redact
        self._kind_of = kind_of
        self._is_allowed = is_allowed
        self._hide = hide
        self._nodes = _MOST_NODES
        self._characters = _MOST_CHARACTERS
        self._open: set[int] = set()

    def value(self, key: str, value: object, depth: int = 0, *, allowed: bool = False) -> object:
        """*value* of *key*: the mark if the key is secret, else what its own rules leave of it."""
        kind = self._kind_of(key) if key else None
        if kind is not None and value is not None and not isinstance(value, bool) and value not in ("", b""):
            return value if isinstance(value, str) and _MARK.fullmatch(value) else self._hide(kind)
        allowed = allowed or (bool(key) and self._is_allowed(key))
        self._nodes -= 1
        if self._nodes < 0:
            return f"[cut: more than {_MOST_NODES} values]"
        if value is None or isinstance(value, (bool, float, int)):
            return self._number(value, allowed=allowed)
        if isinstance(value, (str, bytes, bytearray, memoryview)):
            return self._text(value, allowed=allowed)
        if isinstance(value, (Mapping, list, tuple, set, frozenset)):
            return self._inner(value, depth, allowed=allowed)
        return self._text(value, allowed=allowed)

    def _number(self, value: object, *, allowed: bool) -> object:
        if isinstance(value, bool) or value is None:
            return bool(value) if value is not None else None
        if isinstance(value, float):
            plain = float(value)
            return plain if plain - plain == 0 else repr(plain)
        number = int(value) if isinstance(value, int) else 0
        if -_SHORTEST_CARD < number < _SHORTEST_CARD:
            return number
        text = str(number) if -(_INT64**4) < number < _INT64**4 else f"[an integer of {number.bit_length()} bits]"
        safe = self._redact(text, allowed)
        return number if safe == text and -_INT64 <= number < _INT64 else safe

    def _text(self, value: object, *, allowed: bool) -> str:
        if self._characters <= 0:
            return f"[cut: more than {_MOST_CHARACTERS} characters]"
        text = self._redact(_shown(value), allowed)
        self._characters -= len(text)
        return text

    def _inner(self, value: object, depth: int, *, allowed: bool) -> object:
        if depth >= DEPTH:
            return f"[cut: deeper than {DEPTH}]"
        if id(value) in self._open:
            return "[cut: holds itself]"
        self._open.add(id(value))
        try:
            if isinstance(value, Mapping):
                return self._mapping(value, depth + 1, allowed=allowed)
            items = value if isinstance(value, (list, tuple, set, frozenset)) else ()
            return self._items(items, depth + 1, allowed=allowed)
        finally:
            self._open.discard(id(value))

    def _mapping(self, values: Mapping[object, object], depth: int, *, allowed: bool) -> dict[str, object]:
        safe: dict[str, object] = {}
        named = _header_name(values)
        for key, value in islice(values.items(), KEYS):
            name = key if type(key) is str else _shown(key)
            shown = self._text(key, allowed=False)
            while shown in safe:
                shown += "'"
            is_value = named is not None and name.lower() == "value"
            safe[shown] = self.value(named if is_value and named else name, value, depth, allowed=allowed)
        if len(values) > KEYS:
            safe["[cut]"] = f"{len(values) - KEYS} more keys"
        return safe

    def _items(self, values: Iterable[object], depth: int, *, allowed: bool) -> list[object]:
        items = list(islice(values, KEYS + 1))
        if isinstance(values, (list, tuple)) and len(items) == _PAIR and isinstance(items[0], (str, bytes)):
            name = _shown(items[0])  # a header: (b'authorization', b'…')
            if self._kind_of(name) is not None:
                return [self._text(items[0], allowed=False), self.value(name, items[1], depth)]
        safe = [self.value("", item, depth, allowed=allowed) for item in items[:KEYS]]
        if len(items) > KEYS:
            safe.append(f"[cut: more than {KEYS} items]")
        return safe


def cut(text: str, limit: int) -> str:
    """*text* of at most *limit* characters: head and tail stay, what went between them is counted. After redaction only."""
    if len(text) <= limit:
        return text
    sign = f"\n[cut: {len(text)} characters]\n"
    room = limit - len(sign)
    if room <= len(sign):
        return _until_mark(text[: max(0, limit)], text)
    sign = f"\n[cut: {len(text) - room} characters]\n"
    tail = room // 2
    head = limit - len(sign) - tail
    return _until_mark(text[:head], text) + sign + _from_mark(text[len(text) - tail :], text)


def _until_mark(head: str, text: str) -> str:
    start = head.rfind("[redact")
    return head[:start] if start >= 0 and "]" not in head[start:] and "]" in text[start : start + 60] else head


def _from_mark(tail: str, text: str) -> str:
    at = len(text) - len(tail)
    start = text.rfind("[redact", max(0, at - 60), at + 7)
    end = text.find("]", start) if start >= 0 else -1
    return text[end + 1 :] if 0 <= start < at <= end else tail


def _header_name(values: Mapping[object, object]) -> str | None:
    """The name of `{"name": "Authorization", "value": …}`."""
    if "value" not in values:
        return None
    name = values.get("name", values.get("key"))
    return name if isinstance(name, str) else None


def _shown(value: object) -> str:
    """Text of anything: of bytes what they say, of what cannot be shown its type."""
    try:
        if isinstance(value, str):
            return "".join(value) if type(value) is not str else value
        if isinstance(value, (bytes, bytearray, memoryview)):
            return bytes(value[: 2 * _MOST_CHARACTERS]).decode("utf-8", "backslashreplace")
        return str(value)
    except Exception:
        return f"<unprintable {type(value).__name__}>"
