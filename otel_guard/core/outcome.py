"""How a watched call ended, as the instrumentations say it to the capture."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

Attribute = str | bool | int | float | tuple[str, ...]
OutcomeKind = Literal["ok", "failed", "partial", "cancelled"]


class Facts(Struct, frozen=True):
    """What a call is, known before it starts: the span's *name* and attributes, and those of its metrics."""

    name: str
    attributes: Mapping[str, Attribute]
    metric_attributes: Mapping[str, Attribute]


class Outcome(Struct, frozen=True):
    """How it ended; *error_type* is OTel's `error.type`, *error_class* a row of the severity table."""

    kind: OutcomeKind
    error_type: str | None = None
    error_class: str | None = None
    attributes: Mapping[str, Attribute] = {}
    message: str | None = None  # of a failure without an exception
