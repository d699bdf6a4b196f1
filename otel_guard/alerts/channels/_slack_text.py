"""Text as Slack wants it: escaped, and cut without breaking an escape."""

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_BMP: Final = 0xFFFF
_THOUSAND: Final = 1000


def escape(text: str) -> str:
    """`&`, `<`, `>`: all that Slack reads as its own."""
    return "".join(_ESCAPES.get(char, char) for char in text)


def size(text: str) -> int:
    """Characters as the strictest of Slack's clients counts them: an emoji is two."""
    return len(text) + sum(ord(char) > _BMP for char in text)


def cut(text: str, limit: int) -> str:
    """*text* escaped, with `…` at its end if that is longer than *limit*."""
    kept: list[str] = []
    used = fitting = 0
    for char in text.strip()[: limit + 1]:
        piece = _ESCAPES.get(char, char)
        used += size(piece)
        if used > limit:
            return "".join(kept[:fitting]) + "…"
        kept.append(piece)
        if used < limit:
            fitting = len(kept)  # with room for the ellipsis
    return "".join(kept)


def joined(lines: Iterable[str], limit: int) -> str:
    """As many whole *lines* as fit, each escaped already."""
    kept: list[str] = []
    used = 0
    for line in lines:
        used += size(line) + 1
        if used > limit and kept:
            break
        kept.append(line)
    return "\n".join(kept)


def code(text: str, limit: int) -> str:
    """*text* on one line in backticks, *limit* with them."""
    return f"`{cut(' '.join(text.replace('`', chr(39)).split()), limit - 2)}`"


def link(url: str | None, word: str, limit: int) -> str:
    """A link in text; empty if there is none or it is too long."""
    made = f"<{escape(url).replace('|', '%7C')}|{word}>" if url else ""
    return made if size(made) <= limit else ""


def number(value: float | None) -> str:
    """*value* as people write it: 37, 0.051, 1840."""
    if value is None or not math.isfinite(value):
        return "-"
    return f"{value:.0f}" if value.is_integer() or abs(value) >= _THOUSAND else f"{value:.3g}"


def utc(at: datetime) -> datetime:
    """*at* in UTC."""
    return at.astimezone(UTC)
