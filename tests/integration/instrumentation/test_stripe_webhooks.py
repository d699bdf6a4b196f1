import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import flask
import pytest
import stripe
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from otel_guard.core import classify, semconv
from otel_guard.instrumentation.flask import FLASK
from otel_guard.instrumentation.stripe import STRIPE
from otel_guard.instrumentation.webhook import webhooks
from otel_guard.runtime.clock import SYSTEM
from tests.integration.instrumentation.capturing import Capturing
from tests.unit.instrumentation.conftest import MakeWorld

SECRET = "whsec_" + "a" * 32
OTHER = "whsec_" + "b" * 32
CUSTOMER = "jane" + "@example.org"
RECEIVED, LAG = "payment.webhook.received.events", "payment.webhook.lag"
DURATION = "payment.webhook.process.duration"
AGE_S = 120
HAS_HANDLERS = hasattr(stripe.StripeClient, "notification_handler_without_verification")
needs_handlers = pytest.mark.skipif(not HAS_HANDLERS, reason="this stripe has no handlers of notifications")
Handle = Callable[[bytes, str | None], object]


def now_s() -> int:
    return SYSTEM.now_ms() // 1000


def snapshot(**changes: object) -> str:
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "charge.failed",
        "livemode": False,
        "created": now_s() - AGE_S,
        "data": {"object": {"object": "charge", "id": "ch_1", "receipt_email": CUSTOMER}},
    }
    return json.dumps(event | changes)


def thin(kind: str = "v1.billing.meter.no_meter_found") -> str:
    event = {
        "id": "evt_2",
        "object": "v2.core.event",
        "type": kind,
        "livemode": True,
        "created": f"{stripe_time(now_s() - AGE_S)}",
        "context": None,
        "reason": None,
    }
    return json.dumps(event)


def stripe_time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def signed(payload: str, secret: str = SECRET) -> str:
    made_at = now_s()
    digest = hmac.new(secret.encode(), f"{made_at}.{payload}".encode(), hashlib.sha256).hexdigest()
    return f"t={made_at},v1={digest}"


@pytest.fixture
def capturing(make_world: MakeWorld) -> Iterator[Capturing]:
    made = Capturing(make_world, FLASK, STRIPE)
    assert {status.status for status in made.world.engine.status()} == {"watched"}
    yield made
    made.world.engine.uninstrument()


def client() -> stripe.StripeClient:
    return stripe.StripeClient("sk_" + "test_" + "x" * 24)


def post(capturing: Capturing, handle: Handle, payload: str, header: str | None) -> tuple[int, ReadableSpan]:
    """The status of a real Flask application's answer, and its server span."""
    app = flask.Flask("shop")

    @app.post("/stripe/webhook")
    def received() -> tuple[str, int]:
        try:
            handle(flask.request.get_data(), flask.request.headers.get("Stripe-Signature"))
        except stripe.SignatureVerificationError:
            return "", 400
        return "", 204

    headers = {"Stripe-Signature": header} if header is not None else {}
    status = app.test_client().post("/stripe/webhook", data=payload, headers=headers).status_code
    (server,) = [span for span in capturing.spans() if span.kind is SpanKind.SERVER]
    return status, server


def construct(payload: bytes, header: str | None) -> object:
    return stripe.Webhook.construct_event(payload, header, SECRET)


def construct_by_client(payload: bytes, header: str | None) -> object:
    return client().construct_event(payload, header, SECRET)


def parse(payload: bytes, header: str | None) -> object:
    made: Any = client()
    parse_it = getattr(made, "parse_event_notification", None) or made.parse_thin_event  # the older name
    return parse_it(payload, header, SECRET)


def with_secret(secret: str | None) -> Handle:
    return lambda payload, header: stripe.Webhook.construct_event(payload, header, secret)


def with_two(payload: bytes, header: str | None) -> object:
    with suppress(stripe.SignatureVerificationError):
        return stripe.Webhook.construct_event(payload, header, OTHER)
    return stripe.Webhook.construct_event(payload, header, SECRET)


def values(capturing: Capturing, name: str, key: str) -> list[object]:
    return [point.attributes.get(key) for point in capturing.points(name)]


@pytest.mark.parametrize(
    ("handle", "payload", "kind", "event_id", "livemode"),
    [
        (construct, snapshot(), "charge.failed", "evt_1", False),
        (construct_by_client, snapshot(), "charge.failed", "evt_1", False),
        (parse, thin(), "v1.billing.meter.no_meter_found", "evt_2", True),
    ],
)
def test_a_verified_event_is_on_the_server_span(
    capturing: Capturing, handle: Handle, payload: str, kind: str, event_id: str, *, livemode: bool
) -> None:
    status, server = post(capturing, handle, payload, signed(payload))

    attributes = dict(server.attributes or {})
    assert status == 204
    assert attributes[semconv.PAYMENT_PROVIDER_NAME] == "stripe"
    assert attributes[semconv.PAYMENT_WEBHOOK_EVENT_TYPE] == kind
    assert attributes[semconv.PAYMENT_WEBHOOK_EVENT_ID] == event_id
    assert attributes[semconv.PAYMENT_WEBHOOK_VERIFIED] is True
    assert attributes[semconv.STRIPE_LIVEMODE] is livemode
    created = attributes[semconv.PAYMENT_WEBHOOK_EVENT_CREATED]
    assert isinstance(created, float)
    assert AGE_S - 1 <= now_s() - created < 2 * 3600  # the payload is made when the tests are collected
    assert len(capturing.spans()) == 1
    assert capturing.records() == []
    assert CUSTOMER not in capturing.everything()


def test_of_a_verified_event_count_lags_and_duration_are_measured(capturing: Capturing) -> None:
    payload = snapshot()
    post(capturing, construct, payload, signed(payload))

    (received,) = capturing.points(RECEIVED)
    assert (received.value, received.attributes[semconv.PAYMENT_WEBHOOK_OUTCOME]) == (1, "verified")
    assert received.attributes[semconv.PAYMENT_WEBHOOK_EVENT_TYPE] == "charge.failed"
    assert sorted(map(str, values(capturing, LAG, semconv.PAYMENT_WEBHOOK_STAGE))) == ["handled", "received"]
    assert all(AGE_S <= point.sum < AGE_S + 60 for point in capturing.points(LAG))
    (duration,) = capturing.points(DURATION)
    assert duration.count == 1


def test_what_the_server_span_says_becomes_rows_of_webhooks(capturing: Capturing) -> None:
    payload = snapshot()
    _, server = post(capturing, construct, payload, signed(payload))
    call = classify.Call(
        kind=classify.SERVER,
        context="api",
        system="http",
        operation="POST /stripe/webhook",
        outcome="ok",
        error_class=None,
        duration_ms=5,
        ended_ms=SYSTEM.now_ms(),
        route=None,
        name="http.server.request.duration",
    )

    rows = classify.webhook_calls(call, dict(server.attributes or {}))
    assert [(row.name, row.system, row.operation) for row in rows] == [
        (DURATION, "stripe", "process charge.failed"),
        (LAG, "stripe", "process charge.failed"),
    ]


def test_a_wrong_signature_is_one_record_without_the_payload(capturing: Capturing) -> None:
    payload = snapshot()
    status, server = post(capturing, construct, payload, signed(payload, OTHER))

    assert status == 400
    assert (server.attributes or {})[semconv.PAYMENT_WEBHOOK_VERIFIED] is False
    assert semconv.PAYMENT_WEBHOOK_EVENT_TYPE not in (server.attributes or {})
    assert capturing.graded() == ("payment", "stripe", "signature", "medium")
    record = capturing.record()
    assert (record.operation, record.route, record.handled) == ("verify webhook", "/stripe/webhook", True)
    assert record.trace_id == f"{server.context.trace_id:032x}" if server.context else False
    for secret in (CUSTOMER, "evt_1", SECRET, OTHER, signed(payload, OTHER)):
        assert secret not in capturing.everything()
    assert values(capturing, RECEIVED, semconv.PAYMENT_WEBHOOK_OUTCOME) == ["rejected"]
    assert capturing.points(LAG) == []


def test_an_unverified_type_is_no_metric_value(capturing: Capturing) -> None:
    payload = snapshot(type="made.up.by.somebody")
    post(capturing, construct, payload, signed(payload, OTHER))

    points = [point for name in (RECEIVED, LAG, DURATION) for point in capturing.points(name)]
    assert "made.up" not in str([point.attributes for point in points])
    assert "made.up" not in capturing.everything()


def test_of_two_secrets_the_second_fits_and_there_is_no_record(capturing: Capturing) -> None:
    payload = snapshot()
    status, server = post(capturing, with_two, payload, signed(payload))

    assert status == 204
    assert (server.attributes or {})[semconv.PAYMENT_WEBHOOK_VERIFIED] is True
    assert capturing.records() == []
    assert values(capturing, RECEIVED, semconv.PAYMENT_WEBHOOK_OUTCOME) == ["verified"]


def test_of_two_secrets_none_fits_and_there_is_one_record(capturing: Capturing) -> None:
    payload = snapshot()
    status, _ = post(capturing, with_two, payload, signed(payload, "whsec_" + "c" * 32))

    assert status == 400
    assert capturing.graded() == ("payment", "stripe", "signature", "medium")
    (point,) = capturing.points(RECEIVED)
    assert (point.value, point.attributes[semconv.PAYMENT_WEBHOOK_OUTCOME]) == (1, "rejected")


def test_without_a_header_it_is_a_record_and_without_a_secret_a_worse_one(make_world: MakeWorld) -> None:
    payload = snapshot()
    for secret, severity in ((SECRET, "medium"), ("", "high"), (None, "high")):
        capturing = Capturing(make_world, FLASK, STRIPE)
        header = None if secret == SECRET else signed(payload)
        post(capturing, with_secret(secret), payload, header)
        capturing.world.engine.uninstrument()

        assert capturing.graded() == ("payment", "stripe", "signature", severity)


def test_an_unhandled_signature_error_is_one_row(capturing: Capturing) -> None:
    app, payload = flask.Flask("shop"), snapshot()

    @app.post("/stripe/webhook")
    def received() -> str:
        construct(flask.request.get_data(), flask.request.headers.get("Stripe-Signature"))
        return ""

    headers = {"Stripe-Signature": signed(payload, OTHER)}
    assert app.test_client().post("/stripe/webhook", data=payload, headers=headers).status_code == 500

    assert len(capturing.records()) == 1
    assert CUSTOMER not in capturing.everything()


def test_a_verified_header_alone_is_counted(capturing: Capturing) -> None:
    payload = snapshot()
    verify = stripe.WebhookSignature.verify_header
    _, server = post(capturing, lambda body, header: verify(body.decode(), header, SECRET), payload, signed(payload))

    assert (server.attributes or {})[semconv.PAYMENT_WEBHOOK_VERIFIED] is True
    assert values(capturing, RECEIVED, semconv.PAYMENT_WEBHOOK_EVENT_TYPE) == ["unknown"]


@needs_handlers
@pytest.mark.may_skip
@pytest.mark.parametrize("is_verified", [False, True])
def test_without_verification_the_type_is_told_only_after_one(capturing: Capturing, *, is_verified: bool) -> None:
    payload = snapshot()

    def handle(body: bytes, header: str | None) -> object:
        if is_verified:
            stripe.WebhookSignature.verify_header(body, header, SECRET)
        return stripe.Webhook.construct_event_without_verification(body)

    _, server = post(capturing, handle, payload, signed(payload))

    attributes = dict(server.attributes or {})
    assert attributes[semconv.PAYMENT_WEBHOOK_VERIFIED] is is_verified
    assert attributes[semconv.PAYMENT_WEBHOOK_EVENT_ID] == "evt_1"
    assert (semconv.PAYMENT_WEBHOOK_EVENT_TYPE in attributes) is is_verified


class Callbacks:
    """Two callbacks of an application's, one in each way."""

    def __init__(self, *, fails: bool = False) -> None:
        self.seen: list[str] = []
        self._fails = fails

    def handle(self, event: Any, *_: Any) -> None:
        self.seen.append(event.type)
        if self._fails:
            raise LookupError("no such order")

    async def handle_async(self, event: Any, *_: Any) -> None:
        await asyncio.sleep(0)
        self.handle(event)


def four_handlers(calls: Callbacks) -> dict[str, Handle]:
    made = client()
    sync: Any = made.notification_handler(SECRET, calls.handle)
    asynchronous: Any = made.async_notification_handler(SECRET, calls.handle_async)
    unverified: Any = made.notification_handler_without_verification(calls.handle)
    unverified_async: Any = made.async_notification_handler_without_verification(calls.handle_async)
    unverified.on_v1_billing_meter_no_meter_found(calls.handle)
    unverified_async.on_v1_billing_meter_no_meter_found(calls.handle_async)
    return {
        "sync": sync.handle,
        "async": lambda body, header: asyncio.run(asynchronous.handle_async(body, header)),
        "unverified": lambda body, _header: unverified.handle(body),
        "unverified async": lambda body, _header: asyncio.run(unverified_async.handle_async(body)),
    }


@needs_handlers
@pytest.mark.may_skip
@pytest.mark.parametrize("name", ["sync", "async", "unverified", "unverified async"])
def test_each_of_the_four_handlers_is_a_consumer_span(capturing: Capturing, name: str) -> None:
    calls, payload = Callbacks(), thin()
    _, server = post(capturing, four_handlers(calls)[name], payload, signed(payload))

    assert calls.seen == ["v1.billing.meter.no_meter_found"]
    (consumer,) = [span for span in capturing.spans() if span.kind is SpanKind.CONSUMER]
    assert consumer.name == "process v1.billing.meter.no_meter_found"
    assert consumer.parent is not None
    assert server.context is not None
    assert consumer.parent.span_id == server.context.span_id
    assert (consumer.attributes or {})[semconv.PAYMENT_WEBHOOK_EVENT_ID] == "evt_2"
    assert (server.attributes or {})[semconv.PAYMENT_WEBHOOK_VERIFIED] is ("unverified" not in name)
    # Once: of the handling's own span, not of the request too.
    assert semconv.PAYMENT_WEBHOOK_EVENT_TYPE not in (server.attributes or {})
    (duration,) = capturing.points(DURATION)
    assert duration.count == 1
    stages = sorted(map(str, values(capturing, LAG, semconv.PAYMENT_WEBHOOK_STAGE)))
    assert stages == ([] if "unverified" in name else ["handled", "received"])


@needs_handlers
@pytest.mark.may_skip
@pytest.mark.parametrize("name", ["unverified", "unverified async"])
def test_a_type_that_nobody_verified_or_registered_is_unknown(capturing: Capturing, name: str) -> None:
    payload = thin("v9.made.up")
    post(capturing, four_handlers(Callbacks())[name], payload, None)

    (consumer,) = [span for span in capturing.spans() if span.kind is SpanKind.CONSUMER]
    assert consumer.name == "process unknown"
    assert "made.up" not in str([point.attributes for point in capturing.points(DURATION)])


@needs_handlers
@pytest.mark.may_skip
@pytest.mark.parametrize("name", ["sync", "async"])
def test_a_callback_that_fails_is_one_record_of_its_handling(capturing: Capturing, name: str) -> None:
    payload = thin()
    status, _ = post(capturing, four_handlers(Callbacks(fails=True))[name], payload, signed(payload))

    assert status == 500
    (consumer,) = [span for span in capturing.spans() if span.kind is SpanKind.CONSUMER]
    assert consumer.status.status_code is StatusCode.ERROR
    record = capturing.record()
    assert (record.context, record.error_type, record.severity) == ("payment", "LookupError", "high")
    assert values(capturing, LAG, semconv.PAYMENT_WEBHOOK_STAGE) == ["received"]


@needs_handlers
@pytest.mark.may_skip
def test_a_handler_with_a_wrong_signature_is_one_record(capturing: Capturing) -> None:
    payload = thin()
    status, _ = post(capturing, four_handlers(Callbacks())["sync"], payload, signed(payload, OTHER))

    assert status == 400
    assert capturing.graded() == ("payment", "stripe", "signature", "medium")


def test_otel_guards_own_handling_below_is_counted_once(capturing: Capturing) -> None:
    payload = snapshot()

    @webhooks(lambda: capturing.world.engine, "stripe")
    def handled(event: stripe.Event) -> str:
        return event.id

    def handle(body: bytes, header: str | None) -> object:
        return handled(stripe.Webhook.construct_event(body, header, SECRET))

    _, server = post(capturing, handle, payload, signed(payload))

    assert capturing.spans()[0].name == "process charge.failed"
    assert semconv.PAYMENT_WEBHOOK_EVENT_TYPE not in (server.attributes or {})
    assert [point.value for point in capturing.points(RECEIVED)] == [1]
    assert [point.count for point in capturing.points(LAG)] == [1, 1]
    assert [point.count for point in capturing.points(DURATION)] == [1]


def test_without_a_span_a_wrong_signature_is_a_record_at_once(make_world: MakeWorld) -> None:
    capturing = Capturing(make_world, STRIPE, tracer=trace.NoOpTracer())
    payload = snapshot()

    with pytest.raises(stripe.SignatureVerificationError):
        construct(payload.encode(), signed(payload, OTHER))
    construct(payload.encode(), signed(payload))

    assert capturing.graded() == ("payment", "stripe", "signature", "medium")
    assert sorted(map(str, values(capturing, RECEIVED, semconv.PAYMENT_WEBHOOK_OUTCOME))) == ["rejected", "verified"]


def test_what_is_wrapped_is_put_back(capturing: Capturing) -> None:
    capturing.world.engine.uninstrument()
    payload = snapshot()
    construct(payload.encode(), signed(payload))

    assert capturing.points(RECEIVED) == []
    assert type(vars(stripe.WebhookSignature)["verify_header"]) is classmethod
    assert type(vars(stripe.Webhook)["construct_event"]) is staticmethod
