"""The group key of an error: a versioned recipe over what stays the same between two occurrences."""

import hashlib
import re
from collections.abc import Sequence
from typing import Final

VERSION: Final = "1"
MAX_FRAMES: Final = 5
TITLE_LIMIT: Final = 120
_VARIABLE: Final = re.compile(
    r"\[redacted:[a-z_]+\]|\"[^\"\n]{0,200}\"|'[^'\n]{0,200}'"
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b(?=[0-9a-f]*\d)[0-9a-f]{6,}\b|\d+",
    re.IGNORECASE,
)


def parts_of_exception(error_type: str, context: str, system: str | None, frames: Sequence[str]) -> tuple[str, ...]:
    """Parts for a failure with frames (`module:function`, innermost first); the message never counts."""
    return (error_type, context, system or "", *frames[:MAX_FRAMES])


def parts_of_status(
    error_type: str, context: str, system: str | None, operation: str | None, message: str
) -> tuple[str, ...]:
    """Parts for a failure without frames: digits, hex, UUIDs, quoted and redacted parts of *message* become `*`."""
    return (error_type, context, system or "", operation or "", _VARIABLE.sub("*", message)[:500])


def fingerprint(parts: Sequence[str]) -> str:
    """16 hex digits of sha256 over the recipe's version and *parts*."""
    text = "\x1f".join((VERSION, *parts))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def title(error_type: str, message: str) -> str:
    """Type and first line of the first message, at most 120 characters."""
    first = message.partition("\n")[0].strip()
    text = f"{error_type}: {first}" if first else error_type
    return text if len(text) <= TITLE_LIMIT else text[: TITLE_LIMIT - 1] + "…"
