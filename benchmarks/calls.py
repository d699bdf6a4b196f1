"""What a healthy call costs: a span, its export, a query, a request, an append."""

import io
import itertools
import os
from collections.abc import Callable, Iterable
from typing import Any, Literal

import msgspec

from benchmarks.harness import Variant

Kind = Literal["bare", "contrib", "guard"]
BELOW = 9
PAYLOAD = b"x" * 4000
APPENDS = 10_000
EXPORTED = 100


def _span(*, with_guard: bool) -> Variant:
    from opentelemetry import trace
    from opentelemetry.trace import SpanKind

    from benchmarks import guards
    from benchmarks.spans import Spans

    spans = Spans()
    if with_guard:
        guards.start(instrument_off=["flask", "sqlalchemy"])
    tracer = trace.get_tracer("bench")
    attributes: dict[str, str | int] = {
        "http.request.method": "GET",
        "server.address": "api.example.com",
        "server.port": 443,
        "url.full": "https://api.example.com/v1/orders",
        "http.response.status_code": 200,
    }

    def step() -> None:
        with tracer.start_as_current_span("GET /orders", kind=SpanKind.SERVER):
            for _ in range(BELOW):
                with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT, attributes=attributes):
                    pass

    units = BELOW + 1
    return Variant(step, spans.flush, lambda steps: spans.at_least(steps * units), units)


def span_sdk() -> Variant:
    return _span(with_guard=False)


def span_guard() -> Variant:
    return _span(with_guard=True)


def _export(*, redacting: bool) -> Variant:
    """Spans of 15 attributes, of a database call, handed over in one batch as the batch thread does."""
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

    from benchmarks.spans import Counting
    from otel_guard.capture.exporters import RedactingSpanExporter
    from otel_guard.core.redaction import Redactor

    attributes: dict[str, str | int] = {
        "db.system.name": "postgresql",
        "db.namespace": "shop",
        "db.operation.name": "SELECT",
        "db.query.summary": "SELECT orders",
        "db.query.text": "SELECT id, total FROM orders WHERE customer = %s ORDER BY created_at DESC LIMIT 20",
        "db.collection.name": "orders",
        "server.address": "db-1.internal",
        "server.port": 5432,
        "network.peer.address": "10.0.0.12",
        "network.peer.port": 5432,
        "network.transport": "tcp",
        "thread.name": "worker-3",
        "thread.id": 1234567,
        "code.function.name": "shop.orders.recent",
        "code.file.path": "shop/orders.py",
    }
    tracer = TracerProvider().get_tracer("bench")
    batch: list[ReadableSpan] = []
    for _ in range(EXPORTED):
        span = tracer.start_span("SELECT orders", attributes=attributes)
        span.end()
        if isinstance(span, ReadableSpan):
            batch.append(span)
    exporter: SpanExporter = Counting()
    if redacting:
        exporter = RedactingSpanExporter(exporter, Redactor())
    return Variant(lambda: exporter.export(batch), units=EXPORTED)


def export_plain() -> Variant:
    return _export(redacting=False)


def export_redacting() -> Variant:
    return _export(redacting=True)


def _traced(kind: Kind) -> tuple[Callable[[], object], Callable[[int], None]]:
    """Start what watches; the flush and the check of the variant."""
    from benchmarks import guards
    from benchmarks.spans import Spans

    if kind == "bare":
        return (lambda: None), (lambda _: None)
    spans = Spans()
    if kind == "guard":
        guards.start()
    return spans.flush, spans.at_least


def _query(kind: Kind) -> Variant:
    import sqlalchemy
    from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor

    flush, check = _traced(kind)
    engine = sqlalchemy.create_engine("sqlite://")
    if kind == "contrib":  # its own version gate refuses SQLAlchemy 2.1, with which it works
        SQLAlchemyInstrumentor().instrument(engine=engine, skip_dep_check=True)
    connection = engine.connect()
    statement = sqlalchemy.text("SELECT 1")
    return Variant(lambda: connection.execute(statement).all(), flush, check)


def query_bare() -> Variant:
    return _query("bare")


def query_contrib() -> Variant:
    return _query("contrib")


def query_guard() -> Variant:
    return _query("guard")


def _request(kind: Kind) -> Variant:
    import flask
    from opentelemetry.instrumentation.flask import FlaskInstrumentor

    flush, check = _traced(kind)
    app = flask.Flask("bench")

    @app.get("/orders/<int:number>")
    def order(number: int) -> dict[str, int]:
        return {"number": number}

    if kind == "contrib":
        FlaskInstrumentor.instrument_app(app)  # type: ignore[no-untyped-call]
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/orders/7",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
    }

    def begin(*_: Any) -> Callable[[bytes], object]:
        return lambda _: None

    def step() -> None:
        response: Iterable[bytes] = app(dict(environ), begin)
        if b"".join(response) != b'{"number":7}\n':
            raise RuntimeError("the request failed")
        close = getattr(response, "close", None)
        if close is not None:
            close()

    return Variant(step, flush, check)


def request_bare() -> Variant:
    return _request("bare")


def request_contrib() -> Variant:
    return _request("contrib")


def request_guard() -> Variant:
    return _request("guard")


def append_raw() -> Variant:
    path = os.environ["OTEL_GUARD_JOURNAL_DIR"] + "/raw"
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    return Variant(lambda: os.write(fd, PAYLOAD))


def append_journal() -> Variant:
    from benchmarks import guards
    from otel_guard.core.record import ErrorRecord
    from otel_guard.runtime.clock import SYSTEM
    from otel_guard.runtime.ids import uuid7

    guard = guards.start()
    record = ErrorRecord(
        id="",
        seq=0,
        error_type="ValueError",
        message="m" * 200,
        context="payment",
        severity="high",
        fingerprint="f" * 16,
        title="t",
        parts=("a", "b"),
        metadata={"place": {"code.line.number": 3}},
        stack_trace="s" * 3500,
    )
    records = itertools.cycle(
        [
            msgspec.structs.replace(record, id=uuid7(SYSTEM.now_ms()), seq=guard.journal.next_seq())
            for _ in range(APPENDS)
        ]
    )
    append = guard.journal.append
    return Variant(lambda: append(next(records)), guards.flush, lambda _: guards.nothing_lost(guard))


def off() -> Variant:
    """`capture_error` where the guard is switched off."""
    import otel_guard

    otel_guard.configure(enabled=False)
    error = ValueError("x")
    return Variant(lambda: otel_guard.capture_error(error))


def off_nothing() -> Variant:
    return Variant(lambda: None)
