"""How a database's failure is told, and how drivers are kept silent."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Token
from typing import Any, Final

from opentelemetry import context
from opentelemetry.context import Context
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from otel_guard.core import database_errors, semconv
from otel_guard.core.outcome import Facts, Outcome
from otel_guard.instrumentation._engine import Services
from otel_guard.runtime.suppression import KEYS, is_sending

_THEIRS: Final = "opentelemetry.instrumentation.sqlalchemy"
_CANCELLED: Final = (asyncio.CancelledError, GeneratorExit)
_ABORTED: Final = (SystemExit, KeyboardInterrupt)
_FOREIGN_CANCELLED: Final = frozenset({"Cancelled", "GreenletExit"})  # trio's, gevent's


def outcome_of(raised: BaseException) -> Outcome:
    """What *raised* says; SQLSTATE before the class's name."""
    name = type(raised).__name__
    if isinstance(raised, _ABORTED):
        return Outcome("cancelled", name, "cancelled", {semconv.GUARD_OUTCOME: "aborted"})
    if isinstance(raised, _CANCELLED) or name in _FOREIGN_CANCELLED:
        return Outcome("cancelled", name, "cancelled", {semconv.GUARD_OUTCOME: "cancelled"})
    code = database_errors.code_of(raised)
    if code is None:
        return Outcome("failed", name, database_errors.error_class(name))
    return Outcome("failed", code, database_errors.error_class(code), {semconv.DB_RESPONSE_STATUS_CODE: code})


def end(services: Services, span: Span, facts: Facts, raised: BaseException, outcome: Outcome) -> None:
    """End the span of a failure; no text of the database goes into it."""
    try:
        for key, value in outcome.attributes.items():
            span.set_attribute(key, value)
        if outcome.kind == "failed":
            span.set_attribute(semconv.ERROR_TYPE, outcome.error_type or "_OTHER")
            span.set_status(Status(StatusCode.ERROR, outcome.error_type))
            services.handover(span, raised, outcome, facts)
    finally:
        span.end()


def on_error(
    services: Services, facts: Facts, raised: BaseException, outcome: Outcome, started_ns: int | None = None
) -> None:
    """Tell a failure of what has no span when it goes well; a cancellation is none."""
    if outcome.kind == "failed":
        span = services.tracer.start_span(
            facts.name, kind=SpanKind.CLIENT, attributes=dict(facts.attributes), start_time=started_ns
        )
        end(services, span, facts, raised, outcome)


def is_watched() -> bool:
    """Whether this context is the application's, and nobody above us speaks for it already."""
    return not is_sending() and is_instrumentation_enabled()


def is_theirs(conn: Any) -> bool:
    """Whether the application instrumented this engine itself."""
    for one in conn.dispatch.before_cursor_execute:
        if type(getattr(one, "__self__", None)).__module__.startswith(_THEIRS):
            return True
    return False


def hide_driver(current: Context) -> Token[Context]:
    """Keep the driver's own instrumentation silent until the token is detached."""
    return context.attach(context.set_value(KEYS[0], True, current))


@contextmanager
def hidden_driver() -> Iterator[None]:
    """Keep it silent inside."""
    token = hide_driver(context.get_current())
    try:
        yield
    finally:
        context.detach(token)
