import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import resend
from opentelemetry.trace import NoOpTracer, SpanKind, StatusCode

from otel_guard.core import semconv
from otel_guard.demo.standins import resend as standin
from otel_guard.instrumentation.httpx import HTTPX
from otel_guard.instrumentation.requests import REQUESTS
from otel_guard.instrumentation.resend import RESEND
from tests.integration.instrumentation.capturing import Capturing
from tests.unit.instrumentation.conftest import MakeWorld

SUBJECT = "A very private subject"
SENT = "email.client.sent.messages"
REJECTED = "email.client.rejected.recipients"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[standin.Resend]:
    api = standin.start()
    monkeypatch.setattr(resend, "api_url", api.url)
    monkeypatch.setattr(resend, "api_key", "x")
    yield api
    api.stop()


@pytest.fixture
def capturing(make_world: MakeWorld) -> Capturing:
    return Capturing(make_world, HTTPX, REQUESTS, RESEND)


def mail(*to: str, sender: str = "shop@example.org") -> Any:
    return {"from": sender, "to": list(to), "subject": SUBJECT, "html": "<p>Thank you</p>"}


def is_private(capturing: Capturing) -> bool:
    everything = capturing.everything()
    return "example.org" not in everything and SUBJECT not in everything


def test_a_mail_is_one_span(capturing: Capturing, api: standin.Resend) -> None:
    params = mail("ann@example.org", "bob@example.org")
    params["cc"] = "eve@example.org"
    resend.Emails.send(params)

    span = capturing.world.span()
    assert (span.name, span.kind, span.status.status_code) == ("send resend", SpanKind.CLIENT, StatusCode.UNSET)
    assert dict(span.attributes or {}) == {
        semconv.GUARD_CONTEXT: "email",
        semconv.EMAIL_PROVIDER_NAME: "resend",
        semconv.EMAIL_OPERATION_NAME: "send",
        semconv.EMAIL_RECIPIENT_COUNT: 3,
        semconv.EMAIL_MESSAGE_ID: "00000000-0000-4000-8000-000000000001",
        semconv.HTTP_REQUEST_METHOD: "POST",
        semconv.HTTP_RESPONSE_STATUS_CODE: 200,
        semconv.SERVER_ADDRESS: "127.0.0.1",
        semconv.SERVER_PORT: api.port,
    }
    assert [point.value for point in capturing.points(SENT)] == [1]
    (duration,) = capturing.points("email.client.operation.duration")
    assert set(duration.attributes) == {
        semconv.EMAIL_PROVIDER_NAME,
        semconv.EMAIL_OPERATION_NAME,
        semconv.HTTP_RESPONSE_STATUS_CODE,
        semconv.SERVER_ADDRESS,
    }
    assert is_private(capturing)
    assert capturing.records() == []


@pytest.mark.parametrize(
    ("params", "message", "error_class", "severity"),
    [
        (mail("limited@example.org"), "RateLimitError: rate_limit_exceeded (HTTP 429)", "rate_limit", "medium"),
        (mail("spent@example.org"), "RateLimitError: daily_quota_exceeded (HTTP 429)", "quota", "high"),
        (mail("invalid@example.org"), "ValidationError: validation_error (HTTP 422)", "client", "medium"),
        (mail("broken@example.org"), "ApplicationError: application_error (HTTP 500)", "server", "medium"),
        (
            mail("ann@example.org", sender="stranger@example.org"),
            "ResendError: validation_error (HTTP 403)",
            "config",
            "high",
        ),
    ],
)
def test_a_refused_mail_is_told_by_codes_alone(
    capturing: Capturing, api: standin.Resend, params: Any, message: str, error_class: str, severity: str
) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the table has them
        resend.Emails.send(params)

    assert type(caught.value).__name__ == message.partition(":")[0]
    assert capturing.graded() == ("email", "resend", error_class, severity)
    assert capturing.record().message == message
    assert capturing.world.span().status.description == message
    (duration,) = capturing.points("email.client.operation.duration")
    assert duration.attributes[semconv.ERROR_TYPE] == message.split()[1]
    assert capturing.points(SENT) == []
    assert api.mails == []
    assert is_private(capturing)


def test_when_to_try_again_is_kept(capturing: Capturing, api: standin.Resend) -> None:
    with pytest.raises(resend.exceptions.RateLimitError):
        resend.Emails.send(mail("limited@example.org"))

    assert capturing.attributes()[semconv.HTTP_RESPONSE_HEADER_RETRY_AFTER] == "1"
    assert capturing.attributes()[semconv.HTTP_RESPONSE_STATUS_CODE] == 429
    assert api.mails == []


def test_a_refused_key_is_auth(capturing: Capturing, api: standin.Resend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resend, "api_key", standin.REFUSED_KEY)
    with pytest.raises(resend.exceptions.InvalidApiKeyError):
        resend.Emails.send(mail("ann@example.org"))

    assert capturing.graded() == ("email", "resend", "auth", "high")
    assert api.mails == []


def test_a_refused_connection_has_no_status(
    capturing: Capturing, api: standin.Resend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resend, "api_url", "http://127.0.0.1:1")
    with pytest.raises(resend.exceptions.ResendError):
        resend.Emails.send(mail("ann@example.org"))

    span = capturing.world.span()
    assert capturing.graded() == ("email", "resend", "connection", "medium")
    assert span.status.description == "no answer: ConnectionError"
    assert semconv.HTTP_RESPONSE_STATUS_CODE not in (span.attributes or {})
    assert api.mails == []


def test_no_answer_in_time_is_a_time_out(
    capturing: Capturing, api: standin.Resend, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(resend, "api_url", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setattr(resend, "default_http_client", resend.RequestsClient(timeout=0.05))  # type: ignore[arg-type]
        with pytest.raises(resend.exceptions.ResendError):
            resend.Emails.send(mail("ann@example.org"))

    assert capturing.graded() == ("email", "resend", "timeout", "medium")
    assert api.mails == []


def test_without_an_sdk_a_refused_mail_is_a_record_all_the_same(make_world: MakeWorld, api: standin.Resend) -> None:
    capturing = Capturing(make_world, RESEND, tracer=NoOpTracer())
    with pytest.raises(resend.exceptions.RateLimitError):
        resend.Emails.send(mail("limited@example.org"))

    assert capturing.graded() == ("email", "resend", "rate_limit", "medium")
    assert capturing.record().trace_id is None
    assert api.mails == []


def test_a_batch_counts_its_mails(capturing: Capturing, api: standin.Resend) -> None:
    resend.Batch.send([mail("ann@example.org"), mail("bob@example.org")])

    assert (capturing.world.span().name, len(api.mails)) == ("send_batch resend", 2)
    assert [point.value for point in capturing.points(SENT)] == [2]


def test_a_permissive_batch_of_which_some_are_refused_is_partial(capturing: Capturing, api: standin.Resend) -> None:
    mails = [mail("ann@example.org"), mail("invalid@example.org"), mail("bob@example.org")]
    resend.Batch.send(mails, {"batch_validation": "permissive"})

    assert capturing.world.span().status.status_code is StatusCode.UNSET
    assert capturing.graded() == ("email", "resend", "rejected", "low")
    assert capturing.record().message == "1 of 3 mails refused: validation_error"
    assert not capturing.record().reportable
    assert [point.value for point in capturing.points(SENT)] == [2]
    assert [point.value for point in capturing.points(REJECTED)] == [1]
    assert len(api.mails) == 2
    assert is_private(capturing)


def test_a_batch_that_is_refused_as_a_whole_failed(capturing: Capturing, api: standin.Resend) -> None:
    resend.Batch.send([mail("invalid@example.org")], {"batch_validation": "permissive"})

    assert capturing.world.span().status.status_code is StatusCode.ERROR
    assert capturing.record().message == "all 1 mails refused: validation_error"
    assert capturing.points(SENT) == []
    assert api.mails == []


def test_a_broadcast_is_sent_in_one_span_and_other_requests_are_none_of_ours(
    capturing: Capturing, api: standin.Resend
) -> None:
    resend.Broadcasts.send({"broadcast_id": "b-1"})
    resend.Domains.list()

    ours, http = capturing.spans()
    assert (ours.name, http.name) == ("send_batch resend", "GET")
    assert len(api.mails) == 1


def test_async_mails_and_their_failures_too(capturing: Capturing, api: standin.Resend) -> None:
    async def send() -> None:
        await resend.Emails.send_async(mail("ann@example.org"))
        with pytest.raises(resend.exceptions.RateLimitError):
            await resend.Emails.send_async(mail("limited@example.org"))

    asyncio.run(send())

    assert [span.name for span in capturing.spans()] == ["send resend"] * 2
    assert capturing.graded() == ("email", "resend", "rate_limit", "medium")
    assert len(api.mails) == 1


def test_uninstrument_restores(capturing: Capturing, api: standin.Resend) -> None:
    capturing.world.engine.uninstrument()

    resend.Emails.send(mail("ann@example.org"))

    assert (capturing.spans(), len(api.mails)) == ([], 1)
