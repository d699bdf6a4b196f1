"""Exporters that redact: round the user's own, in the batch thread, on a copy."""

from collections.abc import Iterator, Sequence
from copy import copy
from inspect import signature
from typing import Any, Final

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import Link, Status

from otel_guard.capture.exporters_scan import Redacts, Scan
from otel_guard.runtime.private import OTEL_EXPORTERS, OTEL_PROCESSORS, OTEL_ROOT_PROCESSORS

FAILED: Final = "[redaction failed]"
FLUSH_MS: Final = 30_000
NESTED_LIMIT: Final = 4
OURS: Final = "otel_guard."


class RedactingSpanExporter(SpanExporter):
    """Gives *exporter* the spans without secrets; a clean span is passed on as it is."""

    def __init__(self, exporter: SpanExporter, redactor: Redacts) -> None:
        self.exporter = exporter
        self.failed = 0  # spans of which only ids, times and status code were exported
        self._scan = Scan(redactor)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Redact, then export."""
        return self.exporter.export([self._redacted(span) for span in spans])

    def shutdown(self, timeout_millis: float = FLUSH_MS) -> None:
        """Shut the user's exporter down."""
        _shutdown(self.exporter, timeout_millis)

    def force_flush(self, timeout_millis: int = FLUSH_MS) -> bool:
        """Flush the user's exporter."""
        return self.exporter.force_flush(timeout_millis)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.exporter, name)

    def _redacted(self, span: ReadableSpan) -> ReadableSpan:
        try:
            return _span(span, self._scan)
        except Exception:
            self.failed += 1
            return _bare(span)


class RedactingLogExporter:
    """Gives *exporter* the log records without secrets."""

    def __init__(self, exporter: Any, redactor: Redacts) -> None:
        self.exporter = exporter
        self.failed = 0  # records that were not exported
        self._scan = Scan(redactor)

    def export(self, batch: Sequence[Any]) -> Any:
        """Redact, then export."""
        return self.exporter.export([record for item in batch if (record := self._redacted(item)) is not None])

    def shutdown(self, timeout_millis: float = FLUSH_MS) -> None:
        """Shut the user's exporter down."""
        _shutdown(self.exporter, timeout_millis)

    def force_flush(self, timeout_millis: int = FLUSH_MS) -> bool:
        """Flush the user's exporter."""
        return bool(self.exporter.force_flush(timeout_millis))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.exporter, name)

    def _redacted(self, item: Any) -> Any:
        try:
            return _log(item, self._scan)
        except Exception:
            self.failed += 1
            return None


def wrap_exporters(provider: Any, redactor: Redacts) -> list[str]:
    """Wrap the exporters of *provider*'s processors in place; safe to repeat.

    Returns:
        The processors whose exporter was not found, by class name: what they export is not redacted.
    """
    missed: list[str] = []
    for name in OTEL_ROOT_PROCESSORS:
        root = getattr(provider, name, None)
        if root is not None:
            is_log = "log" in name
            missed += [_name(found) for found in _processors(root) if not _wrap(found, redactor, is_log=is_log)]
    return missed


def _processors(processor: Any, depth: int = NESTED_LIMIT) -> Iterator[Any]:
    """The processors below *processor*, itself if it holds no others."""
    held = [item for name in OTEL_PROCESSORS if (item := vars(processor).get(name)) is not None]
    if not held or not depth:
        if not type(processor).__module__.startswith(OURS):
            yield processor
        return
    for item in held:
        for below in item if isinstance(item, list | tuple) else (item,):
            yield from _processors(below, depth - 1)


def _wrap(holder: Any, redactor: Redacts, *, is_log: bool) -> bool:
    """Whether *holder* exports through us now."""
    for name in OTEL_EXPORTERS:
        exporter = vars(holder).get(name)
        if isinstance(exporter, RedactingSpanExporter | RedactingLogExporter):
            return True
        if callable(getattr(exporter, "export", None)):
            wrapper = RedactingLogExporter if is_log else RedactingSpanExporter
            setattr(holder, name, wrapper(exporter, redactor))
            return True
    return False


def _name(processor: Any) -> str:
    return f"{type(processor).__module__}.{type(processor).__qualname__}"


def _shutdown(exporter: Any, timeout_millis: float) -> None:
    if "timeout_millis" in signature(exporter.shutdown).parameters:
        exporter.shutdown(timeout_millis=timeout_millis)
    else:
        exporter.shutdown()


def _span(span: ReadableSpan, scan: Scan) -> ReadableSpan:
    name, attributes = scan.text(span.name), scan.attributes(span.attributes)
    status, resource = _status(span.status, scan), scan.resource(span.resource)
    events, links = _events(span.events, scan), _links(span.links, scan)
    if (name is span.name and status is span.status and resource is span.resource) and not (
        attributes or events or links
    ):
        return span
    return ReadableSpan(
        name=name,
        context=span.context,
        parent=span.parent,
        resource=resource,
        attributes=span.attributes if attributes is None else _bounded(attributes, span.dropped_attributes),
        events=_list(events or span.events, span.dropped_events),
        links=_list(links or span.links, span.dropped_links),
        kind=span.kind,
        status=status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _bare(span: ReadableSpan) -> ReadableSpan:
    """What is left of a span that could not be read: the trace keeps its shape."""
    return ReadableSpan(
        name=FAILED,
        context=span.context,
        parent=span.parent,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _status(status: Status, scan: Scan) -> Status:
    text = status.description
    if not text or (found := scan.text(text)) is text:
        return status
    return Status(status.status_code, found)


def _events(events: Sequence[Event], scan: Scan) -> list[Event] | None:
    """None: nothing was found."""
    changed = False
    found: list[Event] = []
    for event in events:
        name, attributes = scan.text(event.name), scan.attributes(event.attributes)
        if name is event.name and attributes is None:
            found.append(event)
            continue
        changed = True
        kept = event.attributes if attributes is None else _bounded(attributes, event.dropped_attributes)
        found.append(Event(name, kept, event.timestamp))
    return found if changed else None


def _links(links: Sequence[Link], scan: Scan) -> list[Link] | None:
    """None: nothing was found."""
    changes = [scan.attributes(link.attributes) for link in links]
    if not any(changes):
        return None
    pairs = zip(links, changes, strict=True)
    return [link if change is None else Link(link.context, change) for link, change in pairs]


def _log(item: Any, scan: Scan) -> Any:
    """A copy of a log record in its envelope; the resource stands on one or the other, by SDK version."""
    record, clone = copy(item.log_record), copy(item)
    record.body = scan.body(record.body)
    if (attributes := scan.attributes(record.attributes)) is not None:
        record.attributes = _bounded(attributes, getattr(record.attributes, "dropped", 0))
    if getattr(record, "exception", None) is not None:
        record.exception = None
    if getattr(record, "resource", None) is not None:
        record.resource = scan.resource(record.resource)
    object.__setattr__(clone, "log_record", record)  # a frozen dataclass
    if getattr(clone, "resource", None) is not None:
        object.__setattr__(clone, "resource", scan.resource(clone.resource))
    return clone


def _bounded(attributes: dict[str, Any], dropped: int) -> BoundedAttributes:
    bounded = BoundedAttributes(attributes=attributes, immutable=True, extended_attributes=True)
    bounded.dropped = dropped
    return bounded


def _list(items: Sequence[Any], dropped: int) -> Any:
    bounded = BoundedList.from_seq(len(items), items)
    bounded.dropped = dropped
    return bounded
