"""A Sentry event out of a record: nothing but text that was redacted, redacted once more."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

from otel_guard.core.record import ErrorRecord, Head, Severity, created_at_ms
from otel_guard.sinks.sentry_frames import Frame, Raised, parse

LEVELS: Final[dict[Severity, str]] = {"low": "info", "medium": "warning", "high": "error", "critical": "fatal"}
MECHANISM: Final = "otel_guard"
TRAIL: Final = "trail"
TRAIL_FIELDS: Final = ("offset_ms", "context", "name", "duration_ms", "outcome")
MAX_EXCEPTIONS: Final = 50

Event = dict[str, object]


class Redacts(Protocol):
    """The redactor, as far as an event needs it."""

    def text(self, text: str, /) -> str:
        """Give *text* without secrets."""
        ...

    def mapping(self, values: Mapping[str, object], /) -> dict[str, object]:
        """Give *values* without secrets, judged by key and by value."""
        ...


def event_id(record_id: str) -> str:
    """The event's id: the record's, as 32 hex digits."""
    return record_id.replace("-", "")


def event_of(record: ErrorRecord, head: Head, redactor: Redacts, root: str = "") -> Event:
    """Build the event; paths below *root*, the working folder, become relative."""
    created = datetime.fromtimestamp(created_at_ms(record.id) / 1000, UTC)
    own = {name: value for name, value in record.metadata.items() if name != TRAIL}
    event: Event = {
        "event_id": event_id(record.id),
        "timestamp": created,
        "platform": "python",
        "level": LEVELS[record.severity],
        "server_name": head.host,
        "tags": _tags(record, head),
        "exception": {"values": _exceptions(record, redactor, root)},
        "contexts": _contexts(record, redactor),
        "extra": redactor.mapping(own),
        "breadcrumbs": {"values": _breadcrumbs(record, redactor)},
    }
    if record.route:
        event["transaction"] = redactor.text(record.route)
    if record.user_id:
        event["user"] = {"id": redactor.text(record.user_id)}
    return event


def _tags(record: ErrorRecord, head: Head) -> dict[str, str]:
    tags = {
        "context": record.context,
        "severity": record.severity,
        "service": head.service,
        "fingerprint": record.fingerprint,
    }
    return tags | ({"system": record.system} if record.system else {})


def _contexts(record: ErrorRecord, redactor: Redacts) -> Event:
    known = {
        "record_id": record.id,
        "operation": redactor.text(record.operation) if record.operation else None,
        "error_class": record.error_class,
        "caused_by": record.caused_by,
    }
    contexts: Event = {"otel_guard": {name: value for name, value in known.items() if value is not None}}
    if record.trace_id and record.span_id:
        contexts["trace"] = {"trace_id": record.trace_id, "span_id": record.span_id}
    return contexts


def _exceptions(record: ErrorRecord, redactor: Redacts, root: str) -> list[Event]:
    raised = parse(record.stack_trace or "")[:MAX_EXCEPTIONS]
    main = _main(raised)
    values = [_exception(one, _chained(one.link or "__context__"), redactor, root) for one in raised if one is not main]
    mechanism: Event = {"type": MECHANISM}
    if record.handled is not None:
        mechanism["handled"] = record.handled
    # Sentry reads the last one as the exception that was raised, so a group's members stand before it.
    last = Raised(record.error_type, record.message, main.frames if main else ())
    return [*values, _exception(last, mechanism, redactor, root)]


def _main(raised: Sequence[Raised]) -> Raised | None:
    return next((one for one in reversed(raised) if one.link != "exceptions"), None)


def _chained(source: str) -> Event:
    return {"type": "chained", "source": source}


def _exception(one: Raised, mechanism: Event, redactor: Redacts, root: str) -> Event:
    name = one.type
    module, dot, short = name.rpartition(".")
    is_dotted = bool(dot) and name.replace(".", "").replace("_", "").isalnum()
    exception: Event = {
        "type": short if is_dotted else redactor.text(name),
        "value": redactor.text(one.value),
        "mechanism": mechanism,
    }
    if is_dotted:
        exception["module"] = module
    if one.frames:
        exception["stacktrace"] = {"frames": [_frame(frame, redactor, root) for frame in one.frames]}
    return exception


def _frame(frame: Frame, redactor: Redacts, root: str) -> Event:
    path = frame.relative(root)
    found: Event = {
        "filename": path,
        "abs_path": frame.path,
        "function": frame.function,
        "lineno": frame.line,
        "in_app": frame.in_app,
    }
    if not path.startswith(("/", "<")):
        found["module"] = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    if frame.source:
        found["context_line"] = redactor.text(frame.source)
    return found


def _breadcrumbs(record: ErrorRecord, redactor: Redacts) -> list[Event]:
    trail = record.metadata.get(TRAIL)
    calls = [call for entry in trail if (call := _call(entry))] if isinstance(trail, list | tuple) else []
    ends = [_number(call["offset_ms"]) + _number(call["duration_ms"]) for call in calls]
    started_ms = created_at_ms(record.id) - max(ends, default=0.0)
    return [_breadcrumb(call, started_ms, redactor) for call in calls]


def _breadcrumb(call: Mapping[str, object], started_ms: float, redactor: Redacts) -> Event:
    outcome = str(call["outcome"])
    return {
        "type": "default",
        "category": str(call["context"]),
        "message": redactor.text(str(call["name"])),
        "level": "info" if outcome in ("ok", "partial") else "error",
        "timestamp": (started_ms + _number(call["offset_ms"])) / 1000,
        "data": {"duration_ms": call["duration_ms"], "outcome": redactor.text(outcome)},
    }


def _call(entry: object) -> Mapping[str, object] | None:
    """A call of the trail, from a row or a mapping."""
    if isinstance(entry, Mapping):
        return {name: entry.get(name) for name in TRAIL_FIELDS}
    if isinstance(entry, list | tuple) and len(entry) == len(TRAIL_FIELDS):
        return dict(zip(TRAIL_FIELDS, entry, strict=True))
    return None


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
