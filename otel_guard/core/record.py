"""The values that go through the journal."""

from typing import Final, Literal

from msgspec import Struct

Severity = Literal["low", "medium", "high", "critical"]
Context = Literal["api", "database", "ai", "payment", "email", "storage", "cache", "queue", "other"]

SEVERITIES: Final[tuple[Severity, ...]] = ("low", "medium", "high", "critical")
CONTEXTS: Final[tuple[Context, ...]] = (
    "api",
    "database",
    "ai",
    "payment",
    "email",
    "storage",
    "cache",
    "queue",
    "other",
)

Metadata = dict[str, object]  # str keys; values are JSON: None, bool, int (64 bits), float, str, list, dict


class Head(Struct, frozen=True, array_like=True, kw_only=True):
    """The first frame of a journal file: who wrote what follows. Holds for every record of the file."""

    version: int
    writer_id: str  # UUIDv7 of one process's journal
    number: int  # of the file, from 1
    service: str
    environment: str
    release: str | None
    host: str


class ErrorRecord(Struct, frozen=True, array_like=True, kw_only=True):
    """One failure. `id` is a UUIDv7 (text form); its milliseconds are the row's `created_at`."""

    id: str
    seq: int  # +1 for each error of a writer, dropped ones too
    error_type: str
    message: str
    context: Context
    severity: Severity
    fingerprint: str
    title: str  # type and first line of the message, at most 120 characters
    parts: tuple[str, ...]  # what the fingerprint was made of
    error_class: str | None = None
    user_id: str | None = None
    metadata: Metadata
    stack_trace: str | None = None
    handled: bool | None = None
    caused_by: str | None = None  # id of the record in whose `except` this one happened
    system: str | None = None
    operation: str | None = None
    route: str | None = None
    trace_id: str | None = None  # 32 hex
    span_id: str | None = None  # 16 hex
    sentry_event_id: str | None = None  # the application's own event of the same failure
    reportable: bool = True  # False: never to Sentry (a handled decline, a warning)


class Amendment(Struct, frozen=True, array_like=True, kw_only=True):
    """What came later about a failure recorded as *id*; None means nothing new."""

    id: str
    fingerprint: str
    title: str
    of_context: Context  # the record's, as first seen
    of_severity: Severity
    severity: Severity | None = None
    context: Context | None = None
    final: bool = False  # severity and context were given by the application: they replace; else severity only rises
    handled: bool | None = None
    user_id: str | None = None
    route: str | None = None
    error_type: str | None = None  # with message and stack_trace: only for a row that had no exception
    message: str | None = None
    stack_trace: str | None = None
    metadata: Metadata | None = None  # merged over the row's, key by key
    sentry_event_id: str | None = None
    reportable: bool | None = None
    trace_id: str | None = None  # of the record, so that a sink can wait for the root's end


class SlowCall(Struct, frozen=True, array_like=True, kw_only=True):
    """A row of `system_metrics`: a call above its threshold, or an N+1 finding."""

    id: str
    type: str  # database_query, <context>_call, n_plus_one
    value: float  # = duration_ms; n_plus_one: the count
    duration_ms: float | None = None
    query_text: str | None = None
    table_name: str | None = None
    metadata: Metadata
    system: str | None = None
    operation: str | None = None
    route: str | None = None
    trace_id: str | None = None
    span_id: str | None = None


class StatRow(Struct, frozen=True, array_like=True, kw_only=True):
    """One line of `metric_minutes`; sum and max are in the metric's unit (seconds for durations)."""

    minute: int  # Unix seconds, a multiple of 60
    name: str  # OTel's metric name
    context: str
    system: str
    operation: str
    route: str
    n: int
    errors: int
    sum: float
    max: float
    buckets: tuple[int, ...]


class CallStats(Struct, frozen=True, array_like=True, kw_only=True):
    """What was counted since the last such frame; applied once by its *id*."""

    id: str
    rows: tuple[StatRow, ...]


class Repeat(Struct, frozen=True, array_like=True, kw_only=True):
    """*n* more occurrences of a fingerprint past its bucket: a row of its own without a stack."""

    id: str
    seq: int
    n: int
    error_type: str
    message: str
    context: Context
    severity: Severity
    fingerprint: str
    title: str
    parts: tuple[str, ...]
    error_class: str | None = None
    system: str | None = None
    operation: str | None = None


class Drops(Struct, frozen=True, array_like=True, kw_only=True):
    """Records that were not kept, by reason: quota, memory, lag, no_sentry, failed, quarantine_full."""

    id: str
    reason: str
    kind: str  # error, amendment, slow, stats, repeat
    n: int
    severity: str | None = None
    fingerprint: str | None = None
    seqs: tuple[int, int] | None = None  # first and last
    first_at_ms: int
    last_at_ms: int


Record = ErrorRecord | Amendment | SlowCall | CallStats | Repeat | Drops


def created_at_ms(record_id: str) -> int:
    """Unix milliseconds in a UUIDv7 (RFC 9562, section 5.7)."""
    return int(record_id[:8] + record_id[9:13], 16)
