"""The ways in that are no span: `capture_error`, framework signals, handovers without a span."""

import sys
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from typing import Final

from opentelemetry import trace
from opentelemetry.trace import Span, SpanContext

from otel_guard.capture.attributes import attributes_of
from otel_guard.capture.pipeline import Pipeline
from otel_guard.capture.recording import OWN_EVENT
from otel_guard.capture.roots import Open, Roots, route_of
from otel_guard.capture.seen import Seen, Way
from otel_guard.capture.span_processor import GuardSpanProcessor
from otel_guard.core import classify, marks
from otel_guard.core.classify import Kind
from otel_guard.core.outcome import Facts, Outcome
from otel_guard.core.record import Context, Severity
from otel_guard.core.severity import valid_context, valid_severity
from otel_guard.runtime.text import safe_text

_user: Final[ContextVar[str | None]] = ContextVar("otel_guard_user", default=None)
_NOTHING: Final = Kind("other", None, "")


class Entrances:
    """Each builds a `Seen` of what it knows; the pipeline decides."""

    def __init__(
        self, roots: Roots, pipeline: Pipeline, processor: GuardSpanProcessor, hosts: Mapping[str, Context]
    ) -> None:
        self._roots = roots
        self._pipeline = pipeline
        self._processor = processor
        self._hosts = hosts

    def capture_error(
        self,
        exc: BaseException | None,
        context: object,
        severity: object,
        user_id: object,
        metadata: Mapping[str, object] | None,
    ) -> str | None:
        """The application reports *exc* (None: the live one); None if there is none."""
        exc = exc if exc is not None else sys.exc_info()[1]
        if exc is None:
            return None
        seen = self._here("capture", exc)
        seen.severity, seen.context = valid_severity(severity), valid_context(context)
        seen.user_id = safe_text(user_id, 200) if user_id is not None else seen.user_id
        seen.metadata = {safe_text(key, 200): value for key, value in (metadata or {}).items()}
        return self._pipeline.see(seen)

    def unhandled(self, exc: BaseException, *, route: str | None = None, user_id: str | None = None) -> None:
        """A web framework's signal: *exc* left the view; inside the request's span."""
        seen = self._here("signal", exc)
        seen.is_unhandled, seen.floor = True, "high"
        seen.route, seen.user_id = route or seen.route, user_id or seen.user_id
        self._pipeline.see(seen)

    def left_process(self, exc: BaseException, floor: Severity) -> None:
        """An excepthook's: *exc* ended the process (high), a thread or a task (medium)."""
        seen = self._here("hook", exc)
        seen.is_unhandled, seen.floor = True, floor
        self._pipeline.see(seen)

    def logged(
        self,
        exc: BaseException | None,
        logged: dict[str, object],
        floor: Severity,
        message: str,
        error_type: str | None = None,
    ) -> None:
        """An ERROR or CRITICAL log record; *error_type*: of one that names an exception without having it."""
        seen = self._here("log", exc)
        seen.floor, seen.logged, seen.message = floor, logged, message
        seen.error_type = None if exc is not None else error_type or f"logging.{logged.get('level')}"
        self._pipeline.see(seen)

    def handover(self, span: Span, exc: BaseException | None, outcome: Outcome, facts: Facts) -> None:
        """An instrumentation's call ends; without a recording span the record is made here, without a trace."""
        if span.is_recording():
            self._processor.handed(span.get_span_context().span_id, exc, outcome)
            return
        if outcome.kind == "ok":
            return
        attributes = {**facts.attributes, **outcome.attributes}
        kind = classify.kind_of(classify.CLIENT, facts.name, "otel_guard", attributes, self._hosts)
        seen = self._here("span", exc)
        seen.kind, seen.attributes = kind, attributes
        seen.error_type, seen.error_class, seen.message = outcome.error_type, outcome.error_class, outcome.message
        seen.is_said = outcome.message is not None
        self._pipeline.see(seen)

    def set_user(self, user_id: object) -> None:
        """The user of the open request; without one, of this context."""
        text = safe_text(user_id, 200) if user_id is not None else None
        root = self._roots.root(_current().trace_id)
        if root is not None:
            root.user_id = text
        else:
            _user.set(text)

    def own_event(self, exc: BaseException, event_id: str) -> None:
        """The application's own Sentry SDK reports *exc* as *event_id*."""
        for node in marks.chain(exc, with_suppressed=True):
            with suppress(Exception):  # no `__dict__`: at worst a second event
                node.__dict__.setdefault(OWN_EVENT, event_id)
            if (mark := marks.get(node)) is not None:
                self._pipeline.reported(node, mark, event_id)

    def _here(self, way: Way, exc: BaseException | None) -> Seen:
        """What is known at this point: the open span and its request."""
        current = _current()
        opened = self._roots.open_span(current.span_id)
        root = self._roots.root(current.trace_id)
        return Seen(
            way=way,
            exc=exc,
            kind=self._kind(opened),
            trace_id=current.trace_id,
            span_id=current.span_id,
            ancestors=self._roots.ancestors(current.span_id),
            root=root,
            started_ms=root.started_ns // 1_000_000 if root is not None else None,
            user_id=None if root is not None else _user.get(),
            route=route_of(root),
            has_callers=way in {"capture", "log", "span", "signal"},
        )

    def _kind(self, opened: Open | None) -> Kind:
        if opened is None:
            return _NOTHING
        span = opened.span
        scope = span.instrumentation_scope.name if span.instrumentation_scope else ""
        return classify.kind_of(span.kind.name, span.name, scope, attributes_of(span), self._hosts)


def _current() -> SpanContext:
    return trace.get_current_span().get_span_context()
