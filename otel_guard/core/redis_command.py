"""The words of a Redis command that may be shown: its name, never a key or a value."""

import re
from typing import Final

from otel_guard.core.sql import MASK, Digest

OTHER: Final = "OTHER"
PIPELINE: Final = "PIPELINE"
_NAME: Final = re.compile(r"[A-Z][A-Z0-9_.]{1,31}")
_LONGEST: Final = 1_000
# Commands whose second word is a part of the name; clients give both as one.
_CONTAINERS: Final = frozenset(
    {
        "ACL",
        "CLIENT",
        "CLUSTER",
        "COMMAND",
        "CONFIG",
        "DEBUG",
        "FUNCTION",
        "LATENCY",
        "MEMORY",
        "MODULE",
        "OBJECT",
        "PUBSUB",
        "SCRIPT",
        "SENTINEL",
        "SLOWLOG",
        "XGROUP",
        "XINFO",
    }
)


def digest(text: str) -> Digest:
    """*text* as OpenTelemetry's instrumentor gives it: a line a command, its arguments as `?`."""
    if len(text) > _LONGEST:
        text = text[:_LONGEST].rpartition("\n")[0] or text[:_LONGEST]
    lines = text.split("\n")
    names = [name_of(line) for line in lines]
    shown = "\n".join(f"{name}{_arguments(line, name)}" for name, line in zip(names, lines, strict=True))
    if len(names) == 1:
        return Digest(text=shown, summary=names[0], operation=names[0], table=None)
    summary = f"{PIPELINE} {names[0]}" if len(set(names)) == 1 else PIPELINE
    return Digest(text=shown, summary=summary, operation=summary, table=None)


def name_of(command: str) -> str:
    """The name of *command*, which may hold its arguments too."""
    first, _, rest = command.strip().partition(" ")
    first = first.upper()
    if _NAME.fullmatch(first) is None:
        return OTHER
    second = rest.partition(" ")[0].upper()
    if first in _CONTAINERS and second != MASK and _NAME.fullmatch(second.replace("-", "_")) is not None:
        return f"{first} {second}"
    return first


def _arguments(command: str, name: str) -> str:
    return f" {MASK}" * max(0, len(command.split()) - len(name.split()))
