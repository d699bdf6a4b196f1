"""What the pieces of evidence share: what they may ask, and how foreign text stands in Markdown."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct

from otel_guard.monitor.judges._base import Ask, span

LINES: Final = 10
_LONG: Final = 200
_MARKUP: Final = re.compile(r"[`*<>\[\]\\|~#!&]|(?<![^\W_])_|_(?![^\W_])|^\s*(?:[-+=]|\d+[.)])")
_BREAKING: Final = re.compile(r"\s+")


class Scene(Struct, frozen=True, kw_only=True):
    """Where and when is looked; *service*, *environment* None: all."""

    ask: Ask
    inspect: Ask  # of the database that is watched
    now: datetime  # the database's clock
    service: str | None = None
    environment: str | None = None

    def ago(self, seconds: float) -> datetime:
        """*seconds* before now."""
        return self.now - timedelta(seconds=seconds)

    def since(self, at: datetime | None) -> str:
        """`6 min ago`."""
        return "never" if at is None else f"{span(max((self.now - at).total_seconds(), 0.0))} ago"

    def who(self) -> dict[str, str | None]:
        """Service and environment as parameters."""
        return {"service": self.service, "environment": self.environment}

    def is_of(self, row: Mapping[str, Any]) -> bool:
        """Whether a row is of the service and environment that are looked at."""
        return all(wanted in {None, row.get(name) or ""} for name, wanted in self.who().items())


Exhibit = Callable[[Scene], str]


def code(value: object, longest: int = _LONG) -> str:
    """Foreign text in one line, as Markdown shows it untouched; empty if there is none."""
    text = _visible(value)
    text = text.replace("`", "'")
    return f"`{text if len(text) <= longest else text[: longest - 1] + '…'}`" if text else ""


def said(value: object) -> str:
    """A sentence with foreign words in it: as it is where no character of it means anything in Markdown."""
    text = _visible(value)
    return code(text, 2 * _LONG) if _MARKUP.search(text) else text


def named(row: Mapping[str, Any], key: str = "service") -> str:
    """`of web`, in code; empty if the row has no name."""
    found = code(row.get(key))
    return f"of {found}" if found else ""


def line(*parts: str) -> str:
    """One item of a list; empty parts are left out."""
    return "- " + " · ".join(part for part in parts if part)


def listed(lines: Iterable[str], otherwise: str, most: int = LINES) -> str:
    """A list of at most *most* lines, or the words for none."""
    found = list(lines)
    if not found:
        return otherwise
    more = [f"- and {len(found) - most} more"] if len(found) > most else []
    return "\n".join([*found[:most], *more])


def _visible(value: object) -> str:
    """On one line; what a terminal would obey is shown instead."""
    text = _BREAKING.sub(" ", str(value if value is not None else "")).strip()
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
