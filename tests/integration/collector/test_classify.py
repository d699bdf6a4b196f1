"""Context and slowness are set as the library sets them."""

import contextlib
import json
from pathlib import Path
from typing import Any, Final

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.integration.collector.conftest import Start, send, span, traces, until

INTERNAL: Final = Span.SPAN_KIND_INTERNAL
SERVER: Final = Span.SPAN_KIND_SERVER
CLIENT: Final = Span.SPAN_KIND_CLIENT
PRODUCER: Final = Span.SPAN_KIND_PRODUCER
CONSUMER: Final = Span.SPAN_KIND_CONSUMER
# attributes, kind of span, context
CONTEXTS: Final[tuple[tuple[dict[str, Any], Span.SpanKind.ValueType, str], ...]] = (
    ({"otel_guard.context": "cache"}, INTERNAL, "cache"),
    ({"otel_guard.context": "anything else"}, INTERNAL, "other"),
    ({"payment.provider.name": "stripe"}, CLIENT, "payment"),
    ({"email.provider.name": "smtp"}, CLIENT, "email"),
    ({"gen_ai.operation.name": "chat"}, CLIENT, "ai"),
    ({"rpc.system": "aws-api", "rpc.service": "S3"}, CLIENT, "storage"),
    ({"rpc.system": "aws-api", "rpc.service": "SESv2"}, CLIENT, "email"),
    ({"rpc.system": "aws-api", "rpc.service": "SQS"}, CLIENT, "queue"),
    ({"rpc.system": "aws-api", "rpc.service": "DynamoDB"}, CLIENT, "database"),
    ({"rpc.system": "aws-api", "rpc.service": "Lambda"}, CLIENT, "api"),
    ({"db.system.name": "redis"}, CLIENT, "cache"),
    ({"db.system": "postgresql"}, CLIENT, "database"),
    ({"messaging.system": "kafka"}, PRODUCER, "queue"),
    ({}, CONSUMER, "queue"),
    ({}, SERVER, "api"),
    ({"http.request.method": "POST", "server.address": "api.stripe.com"}, CLIENT, "payment"),
    ({"http.method": "POST", "net.peer.name": "api.openai.com"}, CLIENT, "ai"),
    ({"http.request.method": "POST", "server.address": "api.resend.com"}, CLIENT, "email"),
    ({"http.request.method": "POST", "server.address": "stripe.com.evil.example"}, CLIENT, "api"),
    ({}, INTERNAL, "other"),
)
# attributes, milliseconds, slow: the defaults of the library's `slow.*_ms`
SLOW: Final = (
    ({"db.system": "mysql"}, 501, True),
    ({"db.system": "mysql"}, 500, False),
    ({"payment.provider.name": "stripe"}, 2001, True),
    ({"payment.provider.name": "stripe"}, 2000, False),
    ({"email.provider.name": "smtp"}, 3001, True),
    ({"email.provider.name": "smtp"}, 2999, False),
    ({"gen_ai.operation.name": "chat"}, 15001, True),
    ({"gen_ai.operation.name": "chat"}, 14999, False),
    ({"http.request.method": "GET"}, 60000, False),
    ({"otel_guard.slow": True}, 1, False),
)
# name, kind, attributes, name that leaves
NAMES: Final[tuple[tuple[str, Span.SpanKind.ValueType, dict[str, Any], str], ...]] = (
    (
        "GET /orders/17",
        Span.SPAN_KIND_SERVER,
        {"http.request.method": "GET", "http.route": "/orders/{id}"},
        "GET /orders/{id}",
    ),
    ("SELECT * FROM t", CLIENT, {"db.system.name": "postgresql", "db.query.summary": "SELECT t"}, "SELECT t"),
    (
        "create payment_intent",
        CLIENT,
        {"http.request.method": "POST", "payment.provider.name": "stripe"},
        "create payment_intent",
    ),
    ("chat gpt-4o", CLIENT, {"http.request.method": "POST", "gen_ai.operation.name": "chat"}, "chat gpt-4o"),
    ("nightly export", INTERNAL, {}, "nightly export"),
)


def _sent() -> list[Span]:
    made = [span("context", of, kind=kind) for of, kind, _ in CONTEXTS]
    made += [span("slow", of, kind=CLIENT, ms=ms) for of, ms, _ in SLOW]
    return [*made, *(span(name, of, kind=kind) for name, kind, of, _ in NAMES)]


@pytest.fixture(scope="module")
def arrived(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What left, in the order in which it was sent."""
    sent = _sent()
    with contextlib.closing(Start(binary, tmp_path_factory.mktemp("classify"))) as start:
        running = start(OTEL_GUARD_TRACES_TO="[file/demo]", OTEL_GUARD_KEEP_PERCENT="100")
        assert send(running.otlp_port, "traces", traces(sent)) == 200
        until(lambda: len(start.written().splitlines()) == len(sent), "all spans")
        lines = [json.loads(line) for line in start.written().splitlines()]
    spans = {each["spanId"]: each for line in lines for each in line["resourceSpans"][0]["scopeSpans"][0]["spans"]}
    return [spans[each.span_id.hex()] for each in sent]


@pytest.mark.parametrize("number", range(len(CONTEXTS)))
def test_a_span_gets_its_context(arrived: list[dict[str, Any]], number: int) -> None:
    assert _attributes(arrived[number])["otel_guard.context"] == CONTEXTS[number][2]


@pytest.mark.parametrize("number", range(len(SLOW)))
def test_slow_is_what_the_library_calls_slow(arrived: list[dict[str, Any]], number: int) -> None:
    assert _attributes(arrived[len(CONTEXTS) + number]).get("otel_guard.slow", False) is SLOW[number][2]


@pytest.mark.parametrize("number", range(len(NAMES)))
def test_a_name_has_few_values_and_ours_stay(arrived: list[dict[str, Any]], number: int) -> None:
    assert arrived[len(CONTEXTS) + len(SLOW) + number]["name"] == NAMES[number][3]


def _attributes(made: dict[str, Any]) -> dict[str, Any]:
    return {each["key"]: next(iter(each["value"].values())) for each in made["attributes"]}
