import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import stripe
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from otel_guard.core import semconv
from otel_guard.core.outcome import Facts
from otel_guard.demo.standins._http import Request, Response, Running, serve
from otel_guard.instrumentation.requests import REQUESTS
from otel_guard.instrumentation.stripe import STRIPE
from tests.unit.instrumentation.conftest import MakeWorld, World

KEY = "sk_" + "test_" + "x" * 24
INTENT = {"id": "pi_1", "object": "payment_intent", "status": "succeeded", "livemode": False, "amount": 500}
DECLINED = {"type": "card_error", "code": "card_declined", "decline_code": "generic_decline", "message": "No."}


class Api:
    """Answers each request with the next of *answers* (the last again and again); None hangs up."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, object] | None] = [(200, INTENT)]
        self.requests: list[Request] = []
        self._running: Running = serve(self._answer)
        self.url = self._running.url
        self.stop = self._running.stop

    def fails(self, status: int, **error: object) -> None:
        """Answer with an error of Stripe's."""
        self.answers = [(status, {"error": error})]

    def _answer(self, request: Request) -> Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            raise ConnectionAbortedError
        status, value = answer
        headers: Mapping[str, str] = {"Request-Id": "req_1", "Content-Type": "application/json"}
        return Response(status, json.dumps(value).encode(), headers)


class Threadless(stripe.RequestsClient):
    """An asynchronous client without a further library."""

    async def request_async(self, *args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        return self.request(*args, **kwargs)

    async def request_stream_async(self, *args: Any, **kwargs: Any) -> Any:
        content, status, headers = self.request_stream(*args, **kwargs)

        async def chunks() -> Any:
            yield content.read()

        return chunks(), status, headers

    async def close_async(self) -> None:
        self.close()  # type: ignore[no-untyped-call]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.001)
    monkeypatch.setattr(stripe.HTTPClient, "MAX_DELAY", 0.001)
    api = Api()
    yield api
    api.stop()


@pytest.fixture
def watched(world: World) -> World:
    world.engine.install(REQUESTS)
    world.engine.install(STRIPE)
    return world


def client_of(api: Api, retries: int = 0, **more: Any) -> stripe.StripeClient:
    return stripe.StripeClient(
        KEY,
        base_addresses={"api": api.url, "files": api.url},
        http_client=Threadless(),
        max_network_retries=retries,
        **more,
    )


CREATE: Any = {"amount": 500, "currency": "eur"}
FORMS: list[tuple[str, Callable[[stripe.StripeClient], Any]]] = [
    ("create payment_intent", lambda c: c.v1.payment_intents.create(CREATE)),
    ("create payment_intent", lambda c: asyncio.run(c.v1.payment_intents.create_async(CREATE))),
    ("create payment_intent", lambda _: stripe.PaymentIntent.create(**CREATE)),
    ("create payment_intent", lambda _: asyncio.run(stripe.PaymentIntent.create_async(**CREATE))),
    ("retrieve coupon", lambda c: c.v1.coupons.retrieve("gold_plan")),
    ("confirm payment_intent", lambda c: c.v1.payment_intents.confirm("pi_1")),
    ("confirm payment_intent", lambda _: stripe.PaymentIntent.confirm("pi_1")),
    ("retrieve quote", lambda c: c.raw_request("get", "/v1/quotes/qt_1")),
    ("retrieve quote", lambda c: asyncio.run(c.raw_request_async("get", "/v1/quotes/qt_1"))),
    ("retrieve pdf", lambda c: c.v1.quotes.pdf("qt_1")),
    ("retrieve pdf", lambda c: asyncio.run(c.v1.quotes.pdf_async("qt_1"))),
]


@pytest.mark.parametrize(("name", "use"), FORMS)
def test_every_form_of_call_is_one_span(
    watched: World, api: Api, monkeypatch: pytest.MonkeyPatch, name: str, use: Callable[[stripe.StripeClient], Any]
) -> None:
    monkeypatch.setattr(stripe, "api_key", KEY)
    monkeypatch.setattr(stripe, "api_base", api.url)
    monkeypatch.setattr(stripe, "default_http_client", Threadless())

    use(client_of(api))

    span = watched.span()
    assert (span.name, span.kind, span.status.status_code) == (name, trace.SpanKind.CLIENT, StatusCode.UNSET)
    assert "traceparent" not in api.requests[0].headers


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_a_success_tells_what_is_safe(watched: World, api: Api) -> None:
    client_of(api, stripe_account="acct_1").v1.payment_intents.create(CREATE)

    found = attributes(watched.span())
    version = found.pop(semconv.STRIPE_API_VERSION)
    assert isinstance(version, str)
    assert found == {
        semconv.GUARD_CONTEXT: "payment",
        semconv.PAYMENT_PROVIDER_NAME: "stripe",
        semconv.PAYMENT_OPERATION_NAME: "create",
        semconv.PAYMENT_RESOURCE_TYPE: "payment_intent",
        semconv.PAYMENT_RESOURCE_ID: "pi_1",
        semconv.PAYMENT_STATUS: "succeeded",
        semconv.SERVER_ADDRESS: "127.0.0.1",
        semconv.SERVER_PORT: int(api.url.rpartition(":")[2]),
        semconv.HTTP_REQUEST_METHOD: "POST",
        semconv.HTTP_RESPONSE_STATUS_CODE: 200,
        semconv.URL_TEMPLATE: "/v1/payment_intents",
        semconv.STRIPE_ACCOUNT_ID: "acct_1",
        semconv.STRIPE_REQUEST_ID: "req_1",
        semconv.STRIPE_LIVEMODE: False,
    }
    (point,) = watched.points("payment.client.operation.duration")
    assert dict(point.attributes) == {
        semconv.PAYMENT_PROVIDER_NAME: "stripe",
        semconv.PAYMENT_OPERATION_NAME: "create",
        semconv.PAYMENT_RESOURCE_TYPE: "payment_intent",
        semconv.SERVER_ADDRESS: "127.0.0.1",
        semconv.HTTP_RESPONSE_STATUS_CODE: 200,
    }


def test_attempts_are_counted_in_one_span(watched: World, api: Api) -> None:
    api.answers = [(500, {"error": {"type": "api_error"}}), None, (200, INTENT)]

    client_of(api, retries=2).v1.payment_intents.create(CREATE)

    assert len(api.requests) == 3
    assert attributes(watched.span())[semconv.HTTP_REQUEST_RESEND_COUNT] == 2
    assert watched.handed == []


@pytest.mark.parametrize(
    ("status", "error", "kind", "error_type", "error_class"),
    [
        (402, DECLINED, stripe.CardError, "card_declined", "declined"),
        (402, {**DECLINED, "code": "processing_error"}, stripe.CardError, "processing_error", "server"),
        (400, {"type": "invalid_request_error"}, stripe.InvalidRequestError, "InvalidRequestError", "client"),
        (400, {"type": "idempotency_error"}, stripe.IdempotencyError, "IdempotencyError", "client"),
        (401, {"type": "invalid_request_error"}, stripe.AuthenticationError, "AuthenticationError", "auth"),
        (403, {"type": "invalid_request_error"}, stripe.PermissionError, "PermissionError", "auth"),
        (429, {"type": "invalid_request_error", "code": "lock_timeout"}, stripe.StripeError, "lock_timeout", None),
        (429, {"type": "rate_limit_error"}, stripe.RateLimitError, "RateLimitError", "rate_limit"),
        (500, {"type": "api_error"}, stripe.APIError, "APIError", "server"),
    ],
)
def test_an_error_is_told_by_code_and_class(
    watched: World,
    api: Api,
    status: int,
    error: dict[str, object],
    kind: type[Exception],
    error_type: str,
    error_class: str | None,
) -> None:
    api.fails(status, **error)

    with pytest.raises(kind) as caught:
        client_of(api).v1.payment_intents.create(CREATE)

    ((_, exc, outcome, _),) = watched.handed
    assert exc is caught.value
    assert (outcome.error_type, outcome.error_class) == (error_type, error_class or "contention")
    assert watched.span().status.status_code is StatusCode.ERROR
    assert attributes(watched.span())[semconv.HTTP_RESPONSE_STATUS_CODE] == status
    assert (watched.span().events[0].attributes or {})[semconv.EXCEPTION_TYPE] == f"stripe.{type(exc).__name__}"


def test_a_decline_has_its_codes(watched: World, api: Api) -> None:
    api.fails(402, **DECLINED)

    with pytest.raises(stripe.CardError):
        client_of(api).v1.payment_intents.create(CREATE)

    found = attributes(watched.span())
    assert found[semconv.STRIPE_ERROR_DECLINE_CODE] == "generic_decline"
    assert found[semconv.STRIPE_ERROR_CODE] == "card_declined"
    assert found[semconv.STRIPE_ERROR_TYPE] == "card_error"
    assert found[semconv.STRIPE_REQUEST_ID] == "req_1"


@pytest.mark.parametrize(
    ("answer", "has_key"), [((500, {"error": {}}), True), (None, True), ((402, {"error": DECLINED}), False)]
)
def test_the_idempotency_key_is_kept_where_the_charge_may_exist(
    watched: World, api: Api, answer: tuple[int, object] | None, *, has_key: bool
) -> None:
    api.answers = [answer]

    with pytest.raises(stripe.StripeError):
        client_of(api).v1.payment_intents.create(CREATE, {"idempotency_key": "order-17"})
    api.fails(500)
    with pytest.raises(stripe.StripeError):
        client_of(api).v1.payment_intents.retrieve("pi_1")

    posted, read = (outcome.attributes for _, _, outcome, _ in watched.handed)
    assert posted.get(semconv.PAYMENT_IDEMPOTENCY_KEY) == ("order-17" if has_key else None)
    assert semconv.PAYMENT_IDEMPOTENCY_KEY not in read
    assert all(semconv.PAYMENT_IDEMPOTENCY_KEY not in attributes(span) for span in watched.spans())


def test_an_unreadable_answer_does_not_tell_its_body(watched: World, api: Api) -> None:
    api.answers = [(502, "bob@example.com")]

    with pytest.raises(stripe.APIError):
        client_of(api).v1.payment_intents.create(CREATE)

    assert watched.span().status.description == "Invalid response from the API (HTTP 502)"
    assert "example.com" not in watched.span().to_json()


def test_a_refused_connection_is_connection(watched: World, api: Api) -> None:
    api.stop()

    with pytest.raises(stripe.APIConnectionError):
        client_of(api).v1.payment_intents.create(CREATE)

    assert [outcome.error_class for _, _, outcome, _ in watched.handed] == ["connection"]


def test_without_a_key_it_is_auth_and_no_request(watched: World, api: Api) -> None:
    with pytest.raises(stripe.AuthenticationError):
        stripe.PaymentIntent.create(**CREATE)

    assert api.requests == []
    assert [outcome.error_class for _, _, outcome, _ in watched.handed] == ["auth"]


def test_amounts_are_opt_in_but_the_gate_sees_them(make_world: MakeWorld, api: Api) -> None:
    gated: list[Facts] = []
    world = make_world(gate=gated.append)
    world.engine.install(STRIPE)

    client_of(api).v1.payment_intents.create(CREATE)

    assert gated[0].attributes[semconv.PAYMENT_AMOUNT] == 500
    assert semconv.PAYMENT_AMOUNT not in attributes(world.span())


def test_http_children_stay_if_the_setting_says_so(make_world: MakeWorld, api: Api) -> None:
    world = make_world(http_children=True)
    world.engine.install(REQUESTS)
    world.engine.install(STRIPE)

    client_of(api).v1.payment_intents.create(CREATE)

    child, parent = world.spans()
    assert (child.parent.span_id if child.parent else None) == parent.context.span_id


def test_no_id_of_a_random_call_is_on_a_metric(watched: World, api: Api) -> None:
    for number in range(50):
        client_of(api).v1.customers.retrieve(f"cus_{number}")

    (point,) = watched.points("payment.client.operation.duration")
    assert point.count == 50
