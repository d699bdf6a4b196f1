"""What an ended span says: the call for statistics, the sighting for the pipeline."""

import sys
import threading
from collections.abc import Mapping
from typing import Final

from opentelemetry.sdk.trace import ReadableSpan

from otel_guard.capture.roots import Open, Root, Roots, route_of
from otel_guard.capture.seen import Seen
from otel_guard.core import ai_errors, classify, semconv
from otel_guard.core.classify import Call, Kind
from otel_guard.core.error_class import error_class, status_of
from otel_guard.core.outcome import Outcome
from otel_guard.core.record import Severity

ENTRY: Final = frozenset({classify.SERVER, classify.CONSUMER})
OUR_FAULT: Final = 500
_CANCELLED: Final = frozenset({"CancelledError", "Cancelled", "GreenletExit", "GeneratorExit"})


def call_of(
    span: ReadableSpan,
    kind: str,
    named: Kind,
    attributes: Mapping[str, object],
    route: str | None,
    outcome: Outcome | None,
    *,
    is_error: bool,
) -> Call:
    """The finished call, for statistics."""
    result = outcome.kind if outcome else str(attributes.get(semconv.GUARD_OUTCOME) or ("failed" if is_error else "ok"))
    ended_ns = span.end_time or 0
    found = None
    if is_error:
        error_type = attributes.get(semconv.ERROR_TYPE)
        given = outcome.error_class if outcome else None
        found = given or error_class(named.context, attributes, str(error_type) if error_type else None)
    return Call(
        kind=kind,
        context=named.context,
        system=named.system,
        operation=named.operation,
        outcome="cancelled" if result == "aborted" else result,
        error_class=found,
        duration_ms=(ended_ns - (span.start_time or ended_ns)) / 1e6,
        ended_ms=ended_ns // 1_000_000,
        route=route,
        name=classify.metric_name(kind, named.context),
    )


def live_exception(opened: Open | None) -> BaseException | None:
    """The exception that is passing through right now, unless it was being handled already when the span began."""
    live = sys.exc_info()[1]
    if live is None or opened is None or opened.thread != threading.get_ident() or opened.live_exception == id(live):
        return None
    return live


def told(exc: BaseException | None, named: Kind, attributes: Mapping[str, object]) -> Outcome | None:
    """What the exception that left a failed span of others says beyond that span."""
    if exc is None:
        return None
    if type(exc).__name__ in _CANCELLED:
        return Outcome("cancelled", error_class="cancelled")
    if named.context != "ai":
        return None
    error_type = attributes.get(semconv.ERROR_TYPE)
    return ai_errors.outcome(exc, str(error_type) if error_type else None)


def seen_of(
    span: ReadableSpan,
    kind: str,
    named: Kind,
    attributes: Mapping[str, object],
    opened: Open | None,
    root: Root | None,
    exc: BaseException | None,
    outcome: Outcome | None,
    roots: Roots,
    *,
    is_warning: bool,
) -> Seen:
    """The sighting of a span that failed, or recorded an exception."""
    event = next((one for one in reversed(span.events) if one.name == "exception"), None)
    recorded = event.attributes or {} if event is not None else {}
    error_type = (outcome.error_type if outcome else None) or attributes.get(semconv.ERROR_TYPE)
    is_root = root is not None and root.span.context.span_id == span.context.span_id
    is_entry = kind in ENTRY
    left = exc is not None and (is_entry or (is_root and kind == classify.INTERNAL)) and not is_warning
    status = status_of(attributes)
    own_5xx = kind == classify.SERVER and exc is None and status is not None and status >= OUR_FAULT
    message = (
        (outcome.message if outcome else None) or recorded.get(semconv.EXCEPTION_MESSAGE) or span.status.description
    )
    typed = recorded.get(semconv.EXCEPTION_TYPE) or error_type or (str(status) if status else None)
    return Seen(
        way="span",
        exc=exc,
        kind=named,
        span_kind=kind,
        error_type=str(error_type or typed) if error_type or typed else None,
        error_class=outcome.error_class if outcome else None,
        message=str(message) if message else None,
        is_said=outcome is not None and outcome.message is not None,
        attributes={**attributes, **outcome.attributes} if outcome else attributes,
        trace_id=span.context.trace_id,
        span_id=span.context.span_id,
        ancestors=_ancestors(opened, roots),
        started_ms=(span.start_time or 0) // 1_000_000,
        caused_by=opened.caused_by if opened is not None else None,
        root=root,
        is_unhandled=left,
        is_warning=is_warning,
        floor=_floor(is_unhandled=left, is_entry=is_entry, own_5xx=own_5xx),
        route=route_of(root),
    )


def _ancestors(opened: Open | None, roots: Roots) -> tuple[str, ...]:
    if opened is None or opened.parent_id is None:
        return ()
    return (f"{opened.parent_id:016x}", *roots.ancestors(opened.parent_id))


def _floor(*, is_unhandled: bool, is_entry: bool, own_5xx: bool) -> Severity | None:
    if own_5xx or (is_unhandled and is_entry):
        return "high"
    return "medium" if is_unhandled else None
