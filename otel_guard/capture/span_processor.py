"""Every span that ends: counted, judged slow or failed, and handed on."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from opentelemetry.context import Context as OtelContext
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from otel_guard.capture.attributes import attributes_of
from otel_guard.capture.ended import ENTRY, call_of, live_exception, seen_of, told
from otel_guard.capture.pipeline import Pipeline
from otel_guard.capture.roots import Open, Root, Roots, count_query, route_of
from otel_guard.capture.stats import REPEATS, Stats
from otel_guard.core import classify, semconv
from otel_guard.core.classify import Call
from otel_guard.core.outcome import Outcome
from otel_guard.core.record import Context
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.runtime.suppression import is_sending

MAX_HANDED: Final = 1_000
_KINDS: Final[dict[SpanKind, str]] = {
    SpanKind.SERVER: classify.SERVER,
    SpanKind.CONSUMER: classify.CONSUMER,
    SpanKind.CLIENT: classify.CLIENT,
    SpanKind.PRODUCER: classify.PRODUCER,
    SpanKind.INTERNAL: classify.INTERNAL,
}
Handed = tuple[BaseException | None, Outcome]


class GuardSpanProcessor(SpanProcessor):
    """Follows `instrumentation.md`, section 9; everything under the failsafe, no I/O but the journal's append."""

    def __init__(
        self,
        roots: Roots,
        pipeline: Pipeline,
        stats: Stats,
        failsafe: Failsafe,
        *,
        hosts: Mapping[str, Context],
        own_peers: Iterable[tuple[str, int]] = (),
        observers: Iterable[Callable[[Call], None]] = (),
        derive: Callable[[str, Call, Mapping[str, object]], None] = lambda *_: None,
        on_user: Callable[[str], None] = lambda _: None,
    ) -> None:
        """*own_peers* are host and port of our own exporters; *observers* hear every call, *on_user* each root's user.

        *derive* makes the metrics of spans that come without: it gets their scope too.
        """
        self._roots = roots
        self._pipeline = pipeline
        self._stats = stats
        self._failsafe = failsafe
        self._hosts = hosts
        self._own_peers = frozenset(own_peers)
        self._observers = tuple(observers)
        self._derive = derive
        self._on_user = on_user
        self._handed: dict[int, Handed] = {}

    def handed(self, span_id: int, exc: BaseException | None, outcome: Outcome) -> None:
        """Take the exception of a span of ours that ends now."""
        if len(self._handed) >= MAX_HANDED:
            self._handed.clear()
        self._handed[span_id] = (exc, outcome)

    def on_start(self, span: Span, parent_context: OtelContext | None = None) -> None:  # noqa: ARG002 - OTel's signature
        """Keep what the end will ask."""
        try:
            self._roots.start(span)
        except BaseException as exc:
            if not self._failsafe.swallow("on_start", exc):
                raise

    def on_end(self, span: ReadableSpan) -> None:
        """Judge one ended span."""
        try:
            self._end(span)
        except BaseException as exc:
            if not self._failsafe.swallow("on_end", exc):
                raise

    def shutdown(self) -> None:
        """Nothing is held here; the guard closes the journal."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - OTel's signature
        """Nothing waits here."""
        return True

    def _end(self, span: ReadableSpan) -> None:
        span_id, trace_id = span.context.span_id, span.context.trace_id
        opened = self._roots.end(span_id)
        handed = self._handed.pop(span_id, None)
        if is_sending():
            self._roots.end_root(trace_id, span_id)
            return
        root = self._roots.root(trace_id)
        attributes = attributes_of(span)
        if not (opened is not None and opened.is_folded) and not self._is_own(attributes):
            self._judge(span, attributes, opened, root, handed)
        ended = self._roots.end_root(trace_id, span_id)
        if ended is not None:
            self._end_root(ended, span)

    def _judge(
        self,
        span: ReadableSpan,
        attributes: Mapping[str, object],
        opened: Open | None,
        root: Root | None,
        handed: Handed | None,
    ) -> None:
        kind = _KINDS[span.kind]
        is_error = span.status.status_code is StatusCode.ERROR
        events = span.events  # a copy each time it is asked
        if semconv.ASGI_EVENT_TYPE in attributes:
            return  # contrib's span of one message: its request's span tells it all
        if kind == classify.INTERNAL and not is_error and not events and semconv.GUARD_CONTEXT not in attributes:
            return
        scope = span.instrumentation_scope.name if span.instrumentation_scope else ""
        named = classify.kind_of(kind, span.name, scope, attributes, self._hosts)
        exc, outcome = handed or (live_exception(opened) if is_error or events else None, None)
        if is_error and outcome is None:
            outcome = told(exc, named, attributes)
            is_error = outcome is None or outcome.kind != "cancelled"
        call = call_of(span, kind, named, attributes, route_of(root), outcome, is_error=is_error)
        self._count(call, root, span, attributes)
        self._derive(scope, call, attributes)
        if self._stats.is_slow(call):
            self._stats.slow(call, attributes, f"{span.context.span_id:016x}", f"{span.context.trace_id:032x}")
        is_warning = (
            bool(events)
            and not is_error
            and call.outcome != "cancelled"
            and any(one.name == "exception" for one in events)
        )
        is_partial = outcome is not None and outcome.kind == "partial"
        is_lost_charge = call.outcome == "cancelled" and call.context == "payment"
        if is_error or is_warning or is_partial or is_lost_charge:
            self._pipeline.see(
                seen_of(span, kind, named, attributes, opened, root, exc, outcome, self._roots, is_warning=is_warning)
            )

    def _count(self, call: Call, root: Root | None, span: ReadableSpan, attributes: Mapping[str, object]) -> None:
        self._stats.observe(call)
        for observer in self._observers:
            observer(call)
        if call.kind in ENTRY:
            for said in classify.webhook_calls(call, attributes):
                self._stats.observe(said)
        if root is None or root.span.context.span_id == span.context.span_id:
            return
        offset_ms = ((span.start_time or root.started_ns) - root.started_ns) // 1_000_000
        root.trail.append((offset_ms, call.context, call.operation, round(call.duration_ms), call.outcome))
        summary = attributes.get(semconv.DB_QUERY_SUMMARY)
        if summary is not None and call.context == "database":
            known = root.summaries.get(str(summary))
            place = self._stats.place() if known is not None and known.n + 1 == REPEATS else None
            count_query(root, str(summary), call.duration_ms, call.system, place)

    def _end_root(self, root: Root, span: ReadableSpan) -> None:
        if root.user_id is not None:
            self._on_user(root.user_id)
            if root.records:
                self._pipeline.end_root(root)
        kind = _KINDS[span.kind]
        if kind in ENTRY and root.summaries:
            route = route_of(root)
            self._stats.repeats(root, route, f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}")

    def _is_own(self, attributes: Mapping[str, object]) -> bool:
        if not self._own_peers or (
            semconv.HTTP_REQUEST_METHOD not in attributes and semconv.HTTP_METHOD not in attributes
        ):
            return False
        port = attributes.get(semconv.SERVER_PORT, attributes.get(semconv.NET_PEER_PORT))
        return (classify.host_of(attributes), port) in self._own_peers
