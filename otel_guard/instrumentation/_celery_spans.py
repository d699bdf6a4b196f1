"""Spans of ours where contrib has none: in a worker's main process, and of a message that was not sent."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry import context, propagate, trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.celery import utils
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from otel_guard.core import semconv
from otel_guard.core.outcome import Facts, Outcome
from otel_guard.instrumentation._engine import Services, exception_type
from otel_guard.instrumentation._engine_web import attributes_of, forgive
from otel_guard.runtime.text import safe_text

MESSAGE_LIMIT: Final = 4096
_SYSTEM: Final = "celery"
_RUN: Final = "run"
_SEND: Final = "apply_async"


def carried(request: Any) -> Context | None:
    """The context that came with a message: *request* is Celery's, or a message's headers."""
    values = request if isinstance(request, Mapping) else getattr(request, "__dict__", {})
    headers = {key: value for key, value in values.items() if isinstance(value, str)}
    parent = propagate.extract(headers)
    return parent if trace.get_current_span(parent).get_span_context().is_valid else None


@contextmanager
def attached(parent: Context | None) -> Iterator[None]:
    """Make *parent* current; None: leave what is."""
    if parent is None:
        yield
        return
    token = context.attach(parent)
    try:
        yield
    finally:
        context.detach(token)


@contextmanager
def task_span(services: Services, task: str, task_id: str | None, parent: Context | None) -> Iterator[Span]:
    """The open span of a task: contrib's, else one of ours that is made now."""
    current = trace.get_current_span()
    if current.is_recording():
        yield current
        return
    facts = _facts(_RUN, task, task_id)
    with attached(parent):
        span = services.tracer.start_span(facts.name, kind=SpanKind.CONSUMER, attributes=dict(facts.attributes))
        with trace.use_span(span, end_on_exit=True):
            yield span


def fail(span: Span, exc: BaseException) -> None:
    """Write a failure on a span of ours; contrib's have it already."""
    span.set_attribute(semconv.ERROR_TYPE, exception_type(exc))
    note(span, exc)
    span.set_status(Status(StatusCode.ERROR, safe_text(exc, MESSAGE_LIMIT)))


def note(span: Span, exc: BaseException) -> None:
    """Write on *span* that *exc* happened."""
    said = {semconv.EXCEPTION_TYPE: exception_type(exc), semconv.EXCEPTION_MESSAGE: safe_text(exc, MESSAGE_LIMIT)}
    span.add_event("exception", said)


def warn(services: Services, span: Span, exc: BaseException) -> None:
    """A recorded exception of a span that did not fail: a low record."""
    note(span, exc)
    services.handover(span, exc, Outcome("ok"), Facts("", {}, {}))


def excuse(services: Services, span: Span, exc: BaseException) -> None:
    """An exception that the task's `throws` names is no failure, whatever contrib wrote."""
    span.set_status(StatusCode.OK)
    forgive(exc)
    services.handover(span, exc, Outcome("ok"), Facts("", {}, {}))


def not_sent(services: Services, task: str, before: Context, exc: BaseException, error_class: str) -> None:
    """A message did not reach the broker: end contrib's span, which waits for the broker's word, or make one."""
    span, facts = trace.get_current_span(), _facts(_SEND, task, None)
    is_theirs = span is not trace.get_current_span(before) and span.is_recording()
    if not is_theirs:
        span = services.tracer.start_span(facts.name, kind=SpanKind.PRODUCER, attributes=dict(facts.attributes))
    fail(span, exc)
    services.handover(span, exc, Outcome("failed", exception_type(exc), error_class), facts)
    if not is_theirs:
        span.end()
        return
    known = utils.retrieve_task_from_sender({"sender": task})
    task_id = attributes_of(span).get(semconv.MESSAGING_MESSAGE_ID, "")
    kept = utils.retrieve_context(known, task_id, is_publish=True)
    if kept is not None:
        kept[1].__exit__(None, None, None)
        utils.detach_context(known, task_id, is_publish=True)


def _facts(action: str, task: str, task_id: str | None) -> Facts:
    known = {semconv.CELERY_ACTION: action, semconv.CELERY_TASK_NAME: task, semconv.MESSAGING_SYSTEM: _SYSTEM}
    return Facts(f"{action}/{task}", known | ({semconv.MESSAGING_MESSAGE_ID: task_id} if task_id else {}), {})
