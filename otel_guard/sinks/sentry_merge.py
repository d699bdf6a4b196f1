"""A record as amended so far, by the rules of the row (reliability.md, section 4.1)."""

from collections.abc import Iterable

from msgspec.structs import replace

from otel_guard.core.record import Amendment, ErrorRecord
from otel_guard.core.severity import higher


def merge(record: ErrorRecord, changes: Iterable[Amendment]) -> ErrorRecord:
    """Apply *changes* in order; the same one twice changes nothing."""
    is_final = False
    for change in changes:
        if change.final or not is_final:
            record = _graded(record, change)
        is_final = is_final or change.final
        record = _filled(record, change)
    return record


def _graded(record: ErrorRecord, change: Amendment) -> ErrorRecord:
    severity = change.severity or record.severity
    if not change.final:
        severity = higher(record.severity, severity)
    return replace(record, severity=severity, context=change.context or record.context)


def _filled(record: ErrorRecord, change: Amendment) -> ErrorRecord:
    if record.stack_trace is None and change.stack_trace is not None:
        record = replace(
            record,
            error_type=change.error_type or record.error_type,
            message=record.message if change.message is None else change.message,
            stack_trace=change.stack_trace,
        )
    return replace(
        record,
        # once unhandled, a later log of it does not make it handled
        handled=record.handled if record.handled is False or change.handled is None else change.handled,
        user_id=record.user_id or change.user_id,
        route=record.route or change.route,
        metadata={**record.metadata, **(change.metadata or {})},
        sentry_event_id=record.sentry_event_id or change.sentry_event_id,
        reportable=record.reportable or bool(change.reportable),
    )
