"""The stand-ins speak to the official clients."""

import smtplib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

import openai
import pytest
import sentry_sdk
import stripe
import urllib3
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from otel_guard.demo.standins import openai as openai_standin
from otel_guard.demo.standins import otlp, sentry, smtp
from otel_guard.demo.standins import stripe as stripe_standin


class Stoppable(Protocol):
    def stop(self) -> None: ...


Part = TypeVar("Part", bound=Stoppable)


@contextmanager
def stopping(part: Part) -> Iterator[Part]:
    try:
        yield part
    finally:
        part.stop()


@pytest.fixture
def shop_stripe() -> Iterator[tuple[stripe_standin.Stripe, stripe.StripeClient]]:
    with stopping(stripe_standin.start()) as running:
        client = stripe.StripeClient("sk_" + "test_x", base_addresses={"api": running.url}, max_network_retries=1)
        yield running, client


def intent(method: str) -> stripe.params.PaymentIntentCreateParams:
    return {"amount": 1200, "currency": "eur", "payment_method": method, "confirm": True, "metadata": {"order": "7"}}


Shop = tuple[stripe_standin.Stripe, stripe.StripeClient]


def test_a_good_card_is_charged_and_refunded(shop_stripe: Shop) -> None:
    _, client = shop_stripe

    paid = client.v1.payment_intents.create(intent("pm_card_visa"))
    back = client.v1.refunds.create({"payment_intent": paid.id})

    assert (paid.status, paid.amount_received, paid.metadata["order"]) == ("succeeded", 1200, "7")
    assert paid.last_response is not None
    assert (paid.last_response.request_id or "").startswith("req_")
    assert (back.amount, back.status) == (1200, "succeeded")


def test_an_intent_is_confirmed_later(shop_stripe: Shop) -> None:
    _, client = shop_stripe

    made = client.v1.payment_intents.create({"amount": 5, "currency": "eur"})
    done = client.v1.payment_intents.confirm(made.id, {"payment_method": "pm_card_visa"})

    assert (made.status, done.status) == ("requires_payment_method", "succeeded")
    assert client.v1.payment_intents.retrieve(made.id).status == "succeeded"


@pytest.mark.parametrize(
    ("method", "kind", "status_code_calls"),
    [
        ("pm_card_chargeDeclined", stripe.CardError, (402, "card_declined", 1)),
        (stripe_standin.SERVER_ERROR, stripe.APIError, (500, None, 2)),
        (stripe_standin.RATE_LIMITED, stripe.RateLimitError, (429, None, 1)),
    ],
)
def test_a_payment_method_chooses_the_failure(
    shop_stripe: Shop, method: str, kind: type[stripe.StripeError], status_code_calls: tuple[int, str | None, int]
) -> None:
    running, client = shop_stripe

    with pytest.raises(kind) as raised:
        client.v1.payment_intents.create(intent(method))

    assert (raised.value.http_status, raised.value.code, len(running.requests)) == status_code_calls
    assert raised.value.request_id is not None


def test_a_decline_says_why(shop_stripe: Shop) -> None:
    _, client = shop_stripe

    with pytest.raises(stripe.CardError) as raised:
        client.v1.payment_intents.create(intent("pm_card_chargeDeclinedInsufficientFunds"))

    body = raised.value.json_body
    assert isinstance(body, dict)
    assert body["error"]["decline_code"] == "insufficient_funds"


@pytest.mark.parametrize(
    ("words", "kind", "code", "calls"),
    [
        (openai_standin.RATE_LIMITED, openai.RateLimitError, "rate_limit_exceeded", 2),
        (openai_standin.NO_QUOTA, openai.RateLimitError, "insufficient_quota", 1),
        (openai_standin.SERVER_ERROR, openai.InternalServerError, None, 2),
    ],
)
def test_a_prompt_chooses_the_failure(
    words: str, kind: type[openai.APIStatusError], code: str | None, calls: int
) -> None:
    with (
        stopping(openai_standin.start()) as running,
        openai.OpenAI(api_key="x", base_url=running.url, max_retries=1) as client,
    ):
        with pytest.raises(kind) as raised:
            client.chat.completions.create(model="gpt-5-mini", messages=[{"role": "user", "content": f"Hi {words}"}])

        assert raised.value.code == code
        assert raised.value.request_id is not None
        assert len(running.requests) == calls


def test_a_prompt_is_answered() -> None:
    with stopping(openai_standin.start()) as running, openai.OpenAI(api_key="x", base_url=running.url) as client:
        done = client.chat.completions.create(model="gpt-5-mini", messages=[{"role": "user", "content": "Hi"}])

        assert done.choices[0].message.content
        assert done.usage is not None
        assert done.usage.total_tokens == 59


def test_mail_is_taken_and_refused_by_address() -> None:
    with stopping(smtp.start()) as running, smtplib.SMTP("127.0.0.1", running.port, timeout=5) as client:
        client.sendmail("shop@example.com", ["ada@example.com"], "Subject: Hi\r\n\r\n.dot\r\n")
        with pytest.raises(smtplib.SMTPRecipientsRefused) as raised:
            client.sendmail("shop@example.com", ["bounced@example.com"], "Subject: Hi\r\n\r\nx")
        client.sendmail("shop@example.com", ["ada@example.com"], "again")

    assert raised.value.recipients["bounced@example.com"][0] == 550
    assert [mail.recipients for mail in running.mails] == [("ada@example.com",)] * 2
    assert b".dot" in running.mails[0].data
    assert running.refused == ["bounced@example.com"]


def test_sentry_keeps_an_event_with_its_trace() -> None:
    with stopping(sentry.start()) as running:
        client = sentry_sdk.Client(running.dsn, default_integrations=False, auto_enabling_integrations=False)
        event_id = client.capture_event(
            {
                "message": "m",
                "contexts": {"trace": {"trace_id": "a" * 32, "span_id": "b" * 16}},
                "tags": {"context": "ai"},
            }
        )
        client.close(timeout=5)

    assert [(event.event_id, event.trace_id, event.tags["context"]) for event in running.events] == [
        (event_id, "a" * 32, "ai")
    ]
    assert running.ids_by_trace() == {"a" * 32: {event_id}}


def test_sentry_refuses_when_told() -> None:
    with stopping(sentry.start()) as running, urllib3.PoolManager(retries=False) as http:
        url = f"http://127.0.0.1:{running.port}/api/1/envelope/"
        running.refuse(429, after_s=3)
        refused = http.request("POST", url, body=b"{}\n")
        running.accept()
        taken = http.request("POST", url, body=b'{"event_id":"e"}\n{"type":"event"}\n{"event_id":"e"}\n')
        with closing(http.request("POST", url, body=b"\xff\xff")) as unreadable:
            statuses = (refused.status, taken.status, unreadable.status)

    assert statuses == (429, 200, 400)
    assert refused.headers["Retry-After"] == "3"
    assert taken.json() == {"id": "e"}
    assert running.refused == 1


def test_the_counter_has_the_trace_ids_that_the_sdk_exported(tmp_path: Path) -> None:
    record = tmp_path / "traces"
    with stopping(otlp.start(record)) as running:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{running.url}/v1/traces")))
        with provider.get_tracer("test").start_as_current_span("one") as span:
            trace_id = f"{span.get_span_context().trace_id:032x}"
        provider.shutdown()

    assert running.traces == {trace_id}
    assert record.read_text().split() == [trace_id]
