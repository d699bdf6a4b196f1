from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanContext, Status, StatusCode

from otel_guard.capture.exporters import FAILED, RedactingLogExporter, RedactingSpanExporter, wrap_exporters

SECRET = "hush"
MARK = "[redacted:hush]"


class Hushing:
    """A redactor that knows one secret and one key, and counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def text(self, text: str, /) -> str:
        self.asked += 1
        return text.replace(SECRET, MARK)

    def mapping(self, values: Mapping[str, object], /) -> dict[str, object]:
        self.asked += 1
        return {
            self.text(key): "[redacted:password]" if key == "password" else self._value(v) for key, v in values.items()
        }

    def _value(self, value: object) -> object:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self._value(item) for item in value]
        return self.mapping(value) if isinstance(value, dict) else value


class Raising(Hushing):
    def text(self, text: str, /) -> str:
        raise RuntimeError(text)


class Sent(SpanExporter):
    """An exporter that keeps what it gets and speaks of how it was shut down."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []
        self.closed_ms: float | None = None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.spans += spans
        return SpanExportResult.SUCCESS

    def shutdown(self, timeout_millis: float = 1.0) -> None:
        self.closed_ms = timeout_millis

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return timeout_millis == 5


class SentLogs:
    def __init__(self) -> None:
        self.records: list[Any] = []

    def export(self, batch: Sequence[Any]) -> None:
        self.records += batch

    def shutdown(self) -> None:
        return

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return bool(timeout_millis)


def exported(redactor: Hushing, make: Any, **provider_options: Any) -> list[ReadableSpan]:
    sent = Sent()
    provider = TracerProvider(shutdown_on_exit=False, **provider_options)
    provider.add_span_processor(SimpleSpanProcessor(RedactingSpanExporter(sent, redactor)))
    make(provider.get_tracer("t"))
    provider.shutdown()
    return sent.spans


def dirty(tracer: Any) -> None:
    link = Link(SpanContext(1, 2, is_remote=False), {"l": SECRET})
    with tracer.start_as_current_span(f"name {SECRET}", links=[link], attributes={"early": SECRET}) as span:
        span.set_attributes(
            {
                f"key {SECRET}": 1,
                "password": "x",
                "list": ["a", SECRET],
                "bytes": f"b {SECRET}".encode(),
                "card": 4242424242424242,
                "clean": "clean",
                "http.request.method": "GET",
                "n": 7,
            }
        )
        span.add_event(f"event {SECRET}", {"exception.message": SECRET}, timestamp=5)
        span.add_event("clean event", {"a": "b"})
        span.set_status(Status(StatusCode.ERROR, f"because {SECRET}"))


def test_no_part_of_an_exported_span_holds_a_secret() -> None:
    (span,) = exported(Hushing(), dirty, resource=Resource({"res": SECRET}, "http://schema"))

    assert SECRET.encode() not in encode_spans([span]).SerializeToString().replace(MARK.encode(), b"")
    assert span.name == f"name {MARK}"
    assert dict(span.attributes or {}) == {
        "early": MARK,
        f"key {MARK}": 1,
        "password": "[redacted:password]",
        "list": ("a", MARK),
        "bytes": f"b {MARK}".encode(),
        "card": 4242424242424242,
        "clean": "clean",
        "http.request.method": "GET",
        "n": 7,
    }
    assert [(event.name, dict(event.attributes or {})) for event in span.events] == [
        (f"event {MARK}", {"exception.message": MARK}),
        ("clean event", {"a": "b"}),
    ]
    assert span.events[0].timestamp == 5
    assert [(link.context.span_id, dict(link.attributes or {})) for link in span.links] == [(2, {"l": MARK})]
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, f"because {MARK}")
    assert (span.resource.attributes["res"], span.resource.schema_url) == (MARK, "http://schema")


def test_the_applications_own_span_is_not_changed() -> None:
    kept: list[Any] = []

    def make(tracer: Any) -> None:
        dirty(tracer)
        with tracer.start_as_current_span(SECRET) as span:
            kept.append(span)

    exported(Hushing(), make)

    assert kept[0].name == SECRET


def test_a_clean_span_is_passed_on_as_it_is_and_read_once() -> None:
    redactor, sent = Hushing(), Sent()
    exporter = RedactingSpanExporter(sent, redactor)
    resource = Resource({"a": "b"})
    spans = [
        ReadableSpan("GET /x", resource=resource, attributes={"q": "SELECT ?", "db.system": SECRET}) for _ in range(3)
    ]

    exporter.export(spans[:1])
    asked = redactor.asked
    exporter.export(spans[1:])

    assert all(one is other for one, other in zip(sent.spans, spans, strict=True))
    assert redactor.asked == asked


def test_counts_of_what_was_dropped_are_kept() -> None:
    def make(tracer: Any) -> None:
        with tracer.start_as_current_span("s", attributes={"a": SECRET, "b": SECRET}) as span:
            span.add_event("1")
            span.add_event("2")

    (span,) = exported(Hushing(), make, span_limits=SpanLimits(max_span_attributes=1, max_events=1))

    assert (span.dropped_attributes, span.dropped_events) == (1, 1)


def test_a_redactor_that_raises_leaves_the_span_without_content() -> None:
    (span,) = exported(Raising(), dirty)

    assert (span.name, dict(span.attributes or {}), span.events) == (FAILED, {}, ())
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert span.context is not None


def test_shutdown_and_flush_reach_the_users_exporter() -> None:
    sent = Sent()
    exporter = RedactingSpanExporter(sent, Hushing())

    assert exporter.force_flush(5)
    exporter.shutdown(timeout_millis=9)

    assert sent.closed_ms == 9
    assert exporter.closed_ms == 9


def test_no_part_of_an_exported_log_record_holds_a_secret() -> None:
    sent = SentLogs()
    provider = LoggerProvider(Resource({"res": SECRET}), shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(RedactingLogExporter(sent, Hushing())))  # type: ignore[arg-type]
    records = [
        LogRecord(body=f"text {SECRET}", attributes={"a": SECRET, "n": 1}, severity_number=SeverityNumber.ERROR),
        LogRecord(body={"deep": [{"x": SECRET}]}, exception=ValueError(SECRET)),
        LogRecord(body="clean"),
    ]

    for record in records:
        provider.get_logger("t").emit(record)
    provider.shutdown()

    assert SECRET.encode() not in encode_logs(sent.records).SerializeToString().replace(MARK.encode(), b"")
    assert [item.log_record.body for item in sent.records] == [f"text {MARK}", {"deep": [{"x": MARK}]}, "clean"]
    assert records[0].body == f"text {SECRET}"


class Opaque(SpanProcessor):
    """Exports in a way that nobody can see."""

    def __init__(self) -> None:
        self.send = print


@pytest.mark.parametrize("processor", [SimpleSpanProcessor, BatchSpanProcessor])
def test_the_exporters_of_an_existing_provider_are_wrapped_in_place_once(processor: Any) -> None:
    sent = Sent()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor(sent))
    provider.add_span_processor(Opaque())

    assert wrap_exporters(provider, Hushing()) == [f"{__name__}.Opaque"]
    assert wrap_exporters(provider, Hushing()) == [f"{__name__}.Opaque"]
    dirty(provider.get_tracer("t"))
    provider.force_flush()
    provider.shutdown()

    assert [span.name for span in sent.spans] == [f"name {MARK}"]


@pytest.mark.parametrize("processor", [SimpleLogRecordProcessor, BatchLogRecordProcessor])
def test_the_exporters_of_an_existing_log_provider_are_wrapped_in_place(processor: Any) -> None:
    sent = SentLogs()
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(processor(sent))

    assert wrap_exporters(provider, Hushing()) == []
    provider.get_logger("t").emit(LogRecord(body=SECRET))
    provider.force_flush()
    provider.shutdown()

    assert [item.log_record.body for item in sent.records] == [MARK]


def test_a_provider_that_is_no_sdk_provider_has_nothing_to_wrap() -> None:
    assert wrap_exporters(object(), Hushing()) == []
