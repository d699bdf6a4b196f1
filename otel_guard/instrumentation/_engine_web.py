"""What the web frameworks share: the server span's attributes and user, and what is no failure of ours."""

from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.trace import Span

from otel_guard.core import marks, semconv
from otel_guard.core.marks import Mark

_IGNORED: Final = Mark(
    record_id="",
    writer_id="",
    trace_id=None,
    span_id=None,
    ancestors=(),
    fingerprint="",
    title="",
    context="api",
    severity="low",
    is_explicit=False,
)


def forgive(exc: BaseException) -> None:
    """Let *exc* make no record wherever it is seen: the client's doing, whatever the framework logs."""
    if marks.get(exc) is None:
        marks.put(exc, _IGNORED)


def attributes_of(span: Span) -> Mapping[str, Any]:
    """The attributes of *span*; none of one that does not record."""
    return getattr(span, "attributes", None) or {}


def said_user(span: Span) -> str | None:
    """The user that the application put on *span*."""
    attributes = attributes_of(span)
    found = attributes.get(semconv.USER_ID) or attributes.get(semconv.ENDUSER_ID)
    return str(found) if found else None
