"""How a database's failure is told, whichever instrumentation saw it."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from otel_guard.core import connect_errors, database_errors, semconv
from otel_guard.core.outcome import Attribute, Facts, Outcome
from otel_guard.core.record import Context
from otel_guard.instrumentation._engine_services import Services
from otel_guard.runtime.suppression import is_sending
from otel_guard.runtime.text import safe_text

CONNECT: Final = "connect"
_TEXT_LIMIT: Final = 2_000
_CANCELLED: Final = (asyncio.CancelledError, GeneratorExit)
_ABORTED: Final = (SystemExit, KeyboardInterrupt)
_FOREIGN_CANCELLED: Final = frozenset({"Cancelled", "GreenletExit"})  # trio's, gevent's
Judge = Callable[[BaseException], Outcome]


def is_watched() -> bool:
    """Whether this context is the application's, and nobody above us speaks for it already."""
    return not is_sending() and is_instrumentation_enabled()


def cancelled(raised: BaseException) -> Outcome | None:
    """The outcome of a call that was cancelled or whose process ends; None: it failed."""
    name = type(raised).__name__
    if isinstance(raised, _ABORTED):
        return Outcome("cancelled", name, "cancelled", {semconv.GUARD_OUTCOME: "aborted"})
    if isinstance(raised, _CANCELLED) or name in _FOREIGN_CANCELLED:
        return Outcome("cancelled", name, "cancelled", {semconv.GUARD_OUTCOME: "cancelled"})
    return None


def outcome_of(raised: BaseException) -> Outcome:
    """What *raised* says; SQLSTATE before the class's name."""
    if (ended := cancelled(raised)) is not None:
        return ended
    code = database_errors.code_of(raised)
    if code is None:
        name = type(raised).__name__
        return Outcome("failed", name, database_errors.error_class(name))
    return Outcome("failed", code, database_errors.error_class(code), {semconv.DB_RESPONSE_STATUS_CODE: code})


def outcome_of_connect(raised: BaseException) -> Outcome:
    """The same of a failed connect: without SQLSTATE by the server's sentence, else `connection`."""
    found = outcome_of(raised)
    if found.kind != "failed" or semconv.DB_RESPONSE_STATUS_CODE in found.attributes:
        return found
    known = found.error_class if found.error_class not in {None, "unknown", "connection"} else None
    error_class = known or connect_errors.error_class(safe_text(raised, _TEXT_LIMIT)) or "connection"
    return Outcome("failed", found.error_type, error_class, found.attributes)


def connect_facts(system: str, context: Context, where: Mapping[str, object]) -> Facts:
    """Facts of a connect; *where*: server and database, in it no user and no password."""
    known: dict[str, Attribute] = {key: value for key, value in where.items() if isinstance(value, str | int) and value}
    place = {semconv.DB_SYSTEM_NAME: system, **known}
    return Facts(CONNECT, {**place, semconv.GUARD_CONTEXT: context}, place)


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
