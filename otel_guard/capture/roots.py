"""What is known of open spans and open requests: parents, users, trails, repeats, the last records."""

import sys
import threading
from collections import deque
from typing import Final

from msgspec import Struct
from opentelemetry.sdk.trace import Span
from opentelemetry.trace import SpanKind

from otel_guard.capture.attributes import attributes_of
from otel_guard.core import marks, semconv
from otel_guard.core.marks import Mark

MAX_SPANS: Final = 10_000
MAX_ROOTS: Final = 1_000
TRAIL: Final = 20
LAST_RECORDS: Final = 8
MAX_SUMMARIES: Final = 200
# A logical call has one span: HTTP spans right below these are folded into it.
_LOGICAL: Final = (
    semconv.PAYMENT_PROVIDER_NAME,
    semconv.EMAIL_PROVIDER_NAME,
    semconv.GEN_AI_OPERATION_NAME,
    semconv.GEN_AI_PROVIDER_NAME,
)


class Open(Struct):
    """An open span."""

    span: Span
    trace_id: int
    parent_id: int | None  # of a parent in this process
    thread: int
    live_exception: int  # id() of the exception that was being handled when it began
    is_folded: bool
    caused_by: str | None  # the record of that exception


class Kept(Struct):
    """A record of this root, so that later sightings find it."""

    mark: Mark
    status: int | None = None  # of a status-only HTTP failure
    host: str | None = None


class Repeated(Struct):
    """How often one query summary ran below a root."""

    n: int
    total_ms: float
    place: dict[str, object] | None
    system: str | None


class Root(Struct):
    """A local root: its request's or task's user, trail and records."""

    span: Span
    started_ns: int
    user_id: str | None = None
    trail: deque[tuple[int, str, str, int, str]] = deque()
    records: deque[Kept] = deque()
    summaries: dict[str, Repeated] = {}


class Roots:
    """Open spans by span id (at most 10,000) and open local roots by trace id (at most 1,000); the oldest go first."""

    def __init__(self) -> None:
        self._spans: dict[int, Open] = {}
        self._roots: dict[int, Root] = {}

    def start(self, span: Span) -> None:
        """Keep what `on_end` will ask."""
        context, parent = span.context, span.parent
        parent_id = None if parent is None or parent.is_remote else parent.span_id
        live = sys.exc_info()[1]
        above = self._spans.get(parent_id) if parent_id is not None else None
        if len(self._spans) >= MAX_SPANS:
            _shorten(self._spans, MAX_SPANS)
        self._spans[context.span_id] = Open(
            span,
            context.trace_id,
            parent_id,
            threading.get_ident(),
            id(live) if live else 0,
            _is_folded(span, above),
            _record_of(live) if live else None,
        )
        if parent_id is None:
            if len(self._roots) >= MAX_ROOTS:
                _shorten(self._roots, MAX_ROOTS)
            self._roots[context.trace_id] = Root(
                span, span.start_time or 0, None, deque(maxlen=TRAIL), deque(maxlen=LAST_RECORDS), {}
            )

    def end(self, span_id: int) -> Open | None:
        """Take the open span out; None if it was too old or never seen."""
        return self._spans.pop(span_id, None)

    def end_root(self, trace_id: int, span_id: int) -> Root | None:
        """Take the root out if *span_id* is it."""
        root = self._roots.get(trace_id)
        if root is None or root.span.context.span_id != span_id:
            return None
        return self._roots.pop(trace_id, None)

    def root(self, trace_id: int) -> Root | None:
        """The open root of a trace."""
        return self._roots.get(trace_id)

    def is_open(self, trace_id: str) -> bool:
        """Whether the local root of *trace_id* (32 hex) is still open in this process."""
        return int(trace_id, 16) in self._roots

    def ancestors(self, span_id: int) -> tuple[str, ...]:
        """Ids of the open spans above *span_id*, nearest first."""
        found: list[str] = []
        above = self._spans.get(span_id)
        parent_id = above.parent_id if above else None
        while parent_id is not None and len(found) < 100:  # noqa: PLR2004 - deeper nesting is a loop
            found.append(f"{parent_id:016x}")
            above = self._spans.get(parent_id)
            parent_id = above.parent_id if above else None
        return tuple(found)

    def open_span(self, span_id: int) -> Open | None:
        """An open span by its id."""
        return self._spans.get(span_id)

    def forget_all(self) -> None:
        """After a fork: the parent's requests are not ours."""
        self._spans.clear()
        self._roots.clear()


def count_query(
    root: Root, summary: str, duration_ms: float, system: str | None, place: dict[str, object] | None
) -> None:
    """Count one query of *root*; *place* is kept of the tenth only, when it becomes a finding."""
    repeated = root.summaries.get(summary)
    if repeated is not None:
        repeated.n += 1
        repeated.total_ms += duration_ms
        repeated.place = repeated.place or place
    elif len(root.summaries) < MAX_SUMMARIES:
        root.summaries[summary] = Repeated(1, duration_ms, place, system)


def route_of(root: Root | None) -> str | None:
    """The route of the request that is open, as the web framework named it; anthropic's calls have one of their own."""
    if root is None or root.span.kind is SpanKind.CLIENT:
        return None
    value = attributes_of(root.span).get(semconv.HTTP_ROUTE)
    return str(value) if value else None


def _record_of(exc: BaseException) -> str | None:
    mark = next(filter(None, map(marks.get, marks.chain(exc))), None)
    return mark.record_id or None if mark is not None else None


def _is_folded(span: Span, above: Open | None) -> bool:
    # Below an agent, a tool or a webhook's handling, which are no CLIENT spans, requests are the application's own.
    if above is None or span.kind is not SpanKind.CLIENT or above.span.kind is not SpanKind.CLIENT:
        return False
    attributes = attributes_of(span)
    if semconv.HTTP_REQUEST_METHOD not in attributes and semconv.HTTP_METHOD not in attributes:
        return False
    parents = attributes_of(above.span)
    return any(key in parents for key in _LOGICAL) and not any(key in attributes for key in _LOGICAL)


def _shorten(known: dict[int, object] | dict[int, Open] | dict[int, Root], limit: int) -> None:
    while len(known) >= limit:
        oldest = next(iter(known), None)
        if oldest is not None:
            known.pop(oldest, None)
