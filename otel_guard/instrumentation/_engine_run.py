"""One watched call: its span, from before it starts until after it ends."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from contextvars import ContextVar, Token
from typing import Any, Final

from opentelemetry import context, trace
from opentelemetry.instrumentation.utils import is_instrumentation_enabled, suppress_http_instrumentation
from opentelemetry.trace import Span, Status, StatusCode

from otel_guard.core import semconv
from otel_guard.core.outcome import Attribute, Facts, Outcome
from otel_guard.instrumentation._engine_metrics import Metrics
from otel_guard.instrumentation._engine_services import Services
from otel_guard.instrumentation._engine_table import Call, Instrumentation, Kind, Target
from otel_guard.runtime.suppression import is_sending
from otel_guard.runtime.text import safe_text

MAX_FAILURES: Final = 10
MESSAGE_LIMIT: Final = 4096
_CANCELLED: Final = (asyncio.CancelledError, GeneratorExit)
_ABORTED: Final = (SystemExit, KeyboardInterrupt)
_FOREIGN_CANCELLED: Final = frozenset({"Cancelled", "GreenletExit"})  # trio's, gevent's


class Book:
    """What is known of one watched library: whether it is on, and how often a step of ours failed."""

    def __init__(self, table: Instrumentation, services: Services, metrics: Metrics) -> None:
        self.table = table
        self.services = services
        self.metrics = metrics
        self.is_on = True
        self.failures = 0

    def step(self, where: str, function: Callable[..., Any], *args: Any) -> Any:
        """Do one thing of ours; None if it failed, and off after ten failures."""
        try:
            return function(*args)
        except BaseException as exc:
            if not self.services.failsafe.swallow(f"{self.table.name}.{where}", exc):
                raise
            self.failures += 1
            self.is_on = self.is_on and self.failures < MAX_FAILURES
            self.metrics.failed(self.table.name)
            return None


class Running:
    """A call in progress in this context; *is_open* is for contexts copied from it that outlive it."""

    __slots__ = ("book", "call", "is_open")

    def __init__(self, book: Book, call: Call) -> None:
        self.book = book
        self.call = call
        self.is_open = True


_running: Final[ContextVar[tuple[Running, ...]]] = ContextVar("otel_guard_running", default=())


def running(name: str) -> Running | None:
    """The innermost running call of the library *name* in this context."""
    return next((one for one in reversed(_running.get()) if one.is_open and one.book.table.name == name), None)


def mark_running(one: Running) -> Token[tuple[Running, ...]]:
    """Make *one* the innermost running call of this context."""
    return _running.set((*_running.get(), one))


def unmark_running(token: Token[tuple[Running, ...]]) -> None:
    """Undo `mark_running`."""
    _running.reset(token)


def is_watched(book: Book) -> bool:
    """Whether a call of this library is to be watched here and now."""
    if not book.is_on or is_sending() or not is_instrumentation_enabled():
        return False
    return book.table.may_nest or running(book.table.name) is None


def begin(book: Book, target: Target, call: Call, *, started_ns: int | None = None) -> "Run | None":
    """Start the span of *call*; None: pass the call through. Raises only what the gate raises."""
    facts: Facts | None = book.step("describe", target.describe, call)
    if facts is None:
        return None
    if started_ns is None and book.services.gate is not None:
        book.services.gate(facts)
    run: Run | None = book.step("start", Run, book, target, call, facts)
    return run if run is not None and book.step("start", run.start, started_ns) else None


class Run:
    """The span of one call and where it is current."""

    __slots__ = ("_book", "_stack", "_started", "_target", "call", "facts", "running", "span")

    def __init__(self, book: Book, target: Target, call: Call, facts: Facts) -> None:
        self._book = book
        self._target = target
        self._stack: ExitStack | None = None
        self._started = book.services.clock.monotonic()
        self.call = call
        self.facts = Facts(facts.name, self._allowed(facts), facts.metric_attributes)
        self.running = Running(book, call)
        self.span: Span = trace.INVALID_SPAN

    def start(self, started_ns: int | None) -> bool:
        """Start the span and make it current, or leave nothing behind."""
        kind, attributes = self._book.table.span_kind, dict(self.facts.attributes)
        self.span = self._book.services.tracer.start_span(
            self.facts.name, kind=kind, attributes=attributes, start_time=started_ns
        )
        try:
            if started_ns is None:
                self.enter()
        except BaseException:
            self.leave()
            self.span.end()
            raise
        return True

    def enter(self) -> None:
        """Make the span current in this context."""
        stack = self._stack = ExitStack()
        stack.callback(context.detach, context.attach(trace.set_span_in_context(self.span)))
        if self._book.table.hides_http and not self._book.services.http_children:
            stack.enter_context(suppress_http_instrumentation())
        stack.callback(unmark_running, mark_running(self.running))

    def leave(self) -> None:
        """Make what was current before current again."""
        stack, self._stack = self._stack, None
        if stack is not None:
            stack.close()

    def returned(self, value: Any) -> None:
        """End the span of a call that gave *value*."""
        if self._closes():
            judged = self._book.step("on_result", self._target.on_result, self.call, self.facts, value)
            self._finish(None, judged or Outcome("ok"))

    def failed(self, exc: BaseException) -> None:
        """End the span of a call that raised *exc*."""
        if self._closes():
            judged = self._book.step("on_error", self._target.on_error, self.call, self.facts, exc)
            self._finish(exc, _unless_cancelled(exc, judged or Outcome("failed", error_type=type(exc).__name__)))

    def abandoned(self) -> None:
        """End the span of a stream that nobody read to its end."""
        if self._closes():
            self._finish(None, Outcome("ok", attributes={semconv.GUARD_OUTCOME: "abandoned"}))

    def _closes(self) -> bool:
        was_open, self.running.is_open = self.running.is_open, False
        return was_open

    def _finish(self, exc: BaseException | None, outcome: Outcome) -> None:
        step, services, table = self._book.step, self._book.services, self._book.table
        step("leave", self.leave)
        if self.span.is_recording():
            step("span", write, self.span, exc, outcome, table.record_only)
        if outcome.kind != "cancelled" and self._target.kind is not Kind.ON_ERROR:
            seconds = services.clock.monotonic() - self._started
            step("metrics", self._book.metrics.ended, table, self.facts, outcome, seconds)
        if outcome.kind != "ok" and (outcome.kind != "cancelled" or table.context == "payment"):
            step("handover", services.handover, self.span, exc, outcome, self.facts)
        step("end", self.span.end)

    def _allowed(self, facts: Facts) -> dict[str, Attribute]:
        kept = {key: value for key, value in facts.attributes.items() if self._is_allowed(key)}
        kept.setdefault(semconv.GUARD_CONTEXT, self._book.table.context)
        return kept

    def _is_allowed(self, key: str) -> bool:
        return key not in self._book.table.opt_in or key in self._book.services.opt_in


def exception_type(exc: BaseException) -> str:
    """The public dotted name of an exception's class: `stripe.CardError`, `ValueError`."""
    kind = type(exc)
    parts = [part for part in kind.__module__.split(".") if not part.startswith("_")]
    return kind.__qualname__ if kind.__module__ == "builtins" else ".".join([*parts, kind.__qualname__])


def _unless_cancelled(exc: BaseException, judged: Outcome) -> Outcome:
    if isinstance(exc, _ABORTED):
        ended = "aborted"
    elif isinstance(exc, _CANCELLED) or type(exc).__name__ in _FOREIGN_CANCELLED:
        ended = "cancelled"
    else:
        return judged
    attributes = {**judged.attributes, semconv.GUARD_OUTCOME: ended}
    return Outcome("cancelled", error_type=type(exc).__name__, error_class="cancelled", attributes=attributes)


def write(span: Span, exc: BaseException | None, outcome: Outcome, record_only: frozenset[str] = frozenset()) -> None:
    """Write on *span* how its call ended."""
    for key, value in outcome.attributes.items():
        if key not in record_only:
            span.set_attribute(key, value)
    if outcome.kind == "partial":
        span.set_attribute(semconv.GUARD_OUTCOME, "partial")
    if outcome.kind != "failed":
        return
    message = outcome.message if outcome.message is not None or exc is None else safe_text(exc, MESSAGE_LIMIT)
    span.set_attribute(semconv.ERROR_TYPE, outcome.error_type or "_OTHER")
    if exc is not None:
        kind = exception_type(exc)
        span.add_event("exception", {semconv.EXCEPTION_TYPE: kind, semconv.EXCEPTION_MESSAGE: message or ""})
    span.set_status(Status(StatusCode.ERROR, message))
