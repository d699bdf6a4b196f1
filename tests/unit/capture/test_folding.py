"""Which HTTP spans belong to a logical call above them."""

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import Span, TracerProvider
from opentelemetry.trace import SpanKind

from otel_guard.capture.roots import Roots
from otel_guard.core import semconv

HTTP = {semconv.HTTP_REQUEST_METHOD: "POST"}
CHAT = {semconv.GEN_AI_OPERATION_NAME: "chat"}


@pytest.mark.parametrize(
    ("kind", "above", "below", "is_folded"),
    [
        (SpanKind.CLIENT, CHAT, HTTP, True),
        (SpanKind.CLIENT, {semconv.GEN_AI_PROVIDER_NAME: "anthropic"}, HTTP, True),
        (SpanKind.CLIENT, {semconv.EMAIL_PROVIDER_NAME: "resend"}, HTTP, True),
        (SpanKind.CLIENT, {semconv.PAYMENT_PROVIDER_NAME: "stripe"}, HTTP, True),
        (SpanKind.CLIENT, {"other": 1}, HTTP, False),
        (SpanKind.CLIENT, CHAT, {"db.system": "redis"}, False),
        # A tool's own request, and what a webhook's handling asks for.
        (SpanKind.INTERNAL, {semconv.GEN_AI_OPERATION_NAME: "execute_tool"}, HTTP, False),
        (SpanKind.CONSUMER, {semconv.PAYMENT_PROVIDER_NAME: "stripe"}, HTTP, False),
        # An agent's model calls, which carry the method of their request too.
        (SpanKind.INTERNAL, {semconv.GEN_AI_OPERATION_NAME: "invoke_agent"}, HTTP | CHAT, False),
        (SpanKind.CLIENT, {semconv.GEN_AI_OPERATION_NAME: "invoke_agent"}, HTTP | CHAT, False),
        (SpanKind.CLIENT, CHAT, HTTP | {semconv.PAYMENT_PROVIDER_NAME: "stripe"}, False),
    ],
)
def test_a_request_is_folded_into_the_logical_call_right_above(
    kind: SpanKind, above: dict[str, Any], below: dict[str, Any], *, is_folded: bool
) -> None:
    tracer, roots = TracerProvider().get_tracer("x"), Roots()
    parent = tracer.start_span("parent", kind=kind, attributes=above)
    child = tracer.start_span("c", trace.set_span_in_context(parent), kind=SpanKind.CLIENT, attributes=below)
    assert isinstance(parent, Span)
    assert isinstance(child, Span)

    roots.start(parent)
    roots.start(child)

    opened = roots.open_span(child.context.span_id)
    assert opened is not None
    assert opened.is_folded is is_folded
