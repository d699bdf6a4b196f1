import asyncio
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from otel_guard.core import semconv
from otel_guard.instrumentation.webhook import webhooks
from tests.unit.instrumentation.conftest import World

LAG = "payment.webhook.lag"
EVENT = SimpleNamespace(type="invoice.paid", id="evt_1", created=1_795_469_400)


def test_a_handled_event_is_a_consumer_span(world: World) -> None:
    with webhooks(lambda: world.engine, "paddle", EVENT):
        pass

    span = world.span()
    assert (span.name, span.kind) == ("process invoice.paid", SpanKind.CONSUMER)
    assert dict(span.attributes or {}) == {
        semconv.GUARD_CONTEXT: "payment",
        semconv.GUARD_SYSTEM: "paddle",
        semconv.PAYMENT_PROVIDER_NAME: "paddle",
        semconv.PAYMENT_WEBHOOK_EVENT_CREATED: 1_795_469_400.0,
        semconv.PAYMENT_WEBHOOK_EVENT_ID: "evt_1",
        semconv.PAYMENT_WEBHOOK_EVENT_TYPE: "invoice.paid",
    }


def test_a_decorated_handler_reads_its_first_argument_and_fails_as_before(world: World) -> None:
    wrong = ValueError("no such order")

    @webhooks(lambda: world.engine, "stripe")
    def handle(event: Any, *, fails: bool) -> str:
        if fails:
            raise wrong
        return str(event["id"])

    assert handle({"type": "charge.failed", "id": "evt_2"}, fails=False) == "evt_2"
    with pytest.raises(ValueError, match="no such order") as caught:
        handle({"type": "charge.failed", "id": "evt_3"}, fails=True)

    assert caught.value is wrong
    assert [(span.name, span.status.status_code) for span in world.spans()] == [
        ("process charge.failed", StatusCode.UNSET),
        ("process charge.failed", StatusCode.ERROR),
    ]


def test_an_async_handler_and_one_before_configure(world: World) -> None:
    async def handle(event: Any) -> str:
        return str(event.type)

    assert asyncio.run(webhooks(lambda: world.engine, "stripe")(handle)(EVENT)) == "invoice.paid"
    assert asyncio.run(webhooks(lambda: None, "stripe")(handle)(EVENT)) == "invoice.paid"
    assert len(world.spans()) == 1


def test_the_lag_is_measured_when_an_event_is_received_and_when_it_was_handled(world: World) -> None:
    with webhooks(lambda: world.engine, "paddle", EVENT):
        pass
    with suppress(ValueError), webhooks(lambda: world.engine, "paddle", EVENT):
        raise ValueError

    counts = {point.attributes[semconv.PAYMENT_WEBHOOK_STAGE]: point.count for point in world.points(LAG)}
    assert counts == {"received": 2, "handled": 1}
    (received,) = world.points("payment.webhook.received.events")
    assert dict(received.attributes) == {
        semconv.PAYMENT_PROVIDER_NAME: "paddle",
        semconv.PAYMENT_WEBHOOK_OUTCOME: "verified",
        semconv.PAYMENT_WEBHOOK_EVENT_TYPE: "invoice.paid",
    }


def test_a_lag_is_never_negative_and_without_a_time_there_is_none(world: World) -> None:
    with webhooks(lambda: world.engine, "paddle", type="a", created=9_999_999_999):
        pass
    with webhooks(lambda: world.engine, "paddle", type="b"):
        pass

    assert {point.attributes[semconv.PAYMENT_WEBHOOK_EVENT_TYPE] for point in world.points(LAG)} == {"a"}
    assert {point.sum for point in world.points(LAG)} == {0.0}


def test_types_beyond_a_hundred_are_other(world: World) -> None:
    @webhooks(lambda: world.engine, "paddle")
    def handle(_event: Any) -> None:
        return None

    for number in range(150):
        handle(SimpleNamespace(type=f"kind.{number}"))

    points = world.points("payment.webhook.received.events")
    types = {point.attributes[semconv.PAYMENT_WEBHOOK_EVENT_TYPE] for point in points}
    assert len(types) == 101
    assert "_OTHER" in types
