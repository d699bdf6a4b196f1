"""Records as columns of the tables."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from otel_guard.core.record import Drops, ErrorRecord, Head, Repeat, SlowCall, created_at_ms

Columns = dict[str, list[object]]

ERROR_COLUMNS: Final = (
    "id", "at_ms", "seq", "repeat_count", "error_type", "message", "context", "severity", "fingerprint", "title", "parts",
    "error_class", "system", "operation",
    "user_id", "metadata", "stack_trace", "handled", "caused_by", "route", "trace_id", "span_id", "sentry_event_id",
)  # fmt: skip
SLOW_COLUMNS: Final = (
    "id", "at_ms", "type", "value", "duration_ms", "query_text", "table_name", "metadata", "system", "operation", "route",
    "trace_id", "span_id",
)  # fmt: skip
DROP_COLUMNS: Final = ("id", "reason", "kind", "severity", "fingerprint", "n", "seqs", "first_ms", "last_ms")
_REPEAT_REST: Final = (None, "{}", None, None, None, None, None, None, None)


def head_values(head: Head) -> dict[str, object]:
    """What holds for every row of a journal."""
    return {
        "writer_id": head.writer_id,
        "service": head.service,
        "environment": head.environment,
        "release": head.release,
        "host": head.host,
    }


def error_columns(records: Iterable[ErrorRecord | Repeat]) -> Columns:
    """Columns for `insert_errors`; a repeat is a row of its own without a stack."""
    unique = {record.id: record for record in records}.values()
    return columns(ERROR_COLUMNS, [_error(record) for record in unique])


def slow_columns(records: Sequence[SlowCall]) -> Columns:
    """Columns for `insert_slow_calls`."""
    return columns(SLOW_COLUMNS, [_slow(record) for record in records])


def drop_columns(records: Sequence[Drops]) -> Columns:
    """Columns for `insert_drops`."""
    return columns(DROP_COLUMNS, [_drop(record) for record in records])


def columns(names: Sequence[str], rows: Sequence[tuple[object, ...]]) -> Columns:
    """Turn *rows* on their side."""
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)) if rows else {name: [] for name in names}


def json_text(value: object) -> str:
    """JSON for a jsonb column."""
    return msgspec.json.encode(value).decode()


def array_text(values: Iterable[int]) -> str:
    """A bigint[] as text: arrays of unequal length don't go into one two-dimensional parameter."""
    return "{" + ",".join(map(str, values)) + "}"


def _error(record: ErrorRecord | Repeat) -> tuple[object, ...]:
    repeat_count = record.n if isinstance(record, Repeat) else 1
    shared = (
        record.id, created_at_ms(record.id), record.seq, repeat_count, record.error_type, record.message, record.context,
        record.severity, record.fingerprint, record.title, json_text(record.parts), record.error_class, record.system,
        record.operation,
    )  # fmt: skip
    if isinstance(record, Repeat):
        return (*shared, *_REPEAT_REST)
    return (
        *shared, record.user_id, json_text(record.metadata), record.stack_trace, record.handled, record.caused_by,
        record.route, record.trace_id, record.span_id, record.sentry_event_id,
    )  # fmt: skip


def _slow(record: SlowCall) -> tuple[object, ...]:
    return (
        record.id, created_at_ms(record.id), record.type, record.value, record.duration_ms, record.query_text,
        record.table_name, json_text(record.metadata), record.system, record.operation, record.route, record.trace_id,
        record.span_id,
    )  # fmt: skip


def _drop(record: Drops) -> tuple[object, ...]:
    seqs = None if record.seqs is None else array_text(record.seqs)
    return (
        record.id, record.reason, record.kind, record.severity, record.fingerprint, record.n, seqs, record.first_at_ms,
        record.last_at_ms,
    )  # fmt: skip
