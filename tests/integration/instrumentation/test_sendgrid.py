import socket
from collections.abc import Iterator
from typing import Any

import pytest
import sendgrid  # type: ignore[import-untyped]
from opentelemetry.trace import SpanKind, StatusCode
from python_http_client import exceptions  # type: ignore[import-untyped]
from sendgrid.helpers.mail import Mail  # type: ignore[import-untyped]

from otel_guard.core import semconv
from otel_guard.demo.standins import sendgrid as standin
from otel_guard.instrumentation.sendgrid import SENDGRID
from tests.integration.instrumentation.capturing import Capturing
from tests.unit.instrumentation.conftest import MakeWorld

SUBJECT = "A very private subject"
SENT = "email.client.sent.messages"


@pytest.fixture
def api() -> Iterator[standin.SendGrid]:
    api = standin.start()
    yield api
    api.stop()


@pytest.fixture
def capturing(make_world: MakeWorld) -> Capturing:
    return Capturing(make_world, SENDGRID)


def send(url: str, *to: str, sender: str = "shop@example.org", key: str = "x", timeout: float | None = None) -> Any:
    client = sendgrid.SendGridAPIClient(api_key=key, host=url)
    client.client.timeout = timeout
    return client.send(Mail(from_email=sender, to_emails=list(to), subject=SUBJECT, html_content="<p>Thank you</p>"))


def is_private(capturing: Capturing) -> bool:
    everything = capturing.everything()
    return "@" not in everything and SUBJECT not in everything


def test_a_mail_is_one_span(capturing: Capturing, api: standin.SendGrid) -> None:
    response = send(api.url, "ann@example.org", "bob@example.org")

    span = capturing.world.span()
    found = dict(span.attributes or {})
    assert found.pop(semconv.EMAIL_MESSAGE_SIZE)
    assert response.status_code == 202
    assert (span.name, span.kind, span.status.status_code) == ("send sendgrid", SpanKind.CLIENT, StatusCode.UNSET)
    assert found == {
        semconv.GUARD_CONTEXT: "email",
        semconv.EMAIL_PROVIDER_NAME: "sendgrid",
        semconv.EMAIL_OPERATION_NAME: "send",
        semconv.EMAIL_RECIPIENT_COUNT: 2,
        semconv.EMAIL_MESSAGE_ID: "standin00000001",
        semconv.HTTP_REQUEST_METHOD: "POST",
        semconv.HTTP_RESPONSE_STATUS_CODE: 202,
        semconv.SERVER_ADDRESS: "127.0.0.1",
        semconv.SERVER_PORT: api.port,
    }
    assert [point.value for point in capturing.points(SENT)] == [1]
    assert [point.count for point in capturing.points("email.client.operation.duration")] == [1]
    assert capturing.records() == []
    assert is_private(capturing)


@pytest.mark.parametrize(
    ("to", "error", "error_class", "severity"),
    [
        ("limited@example.org", exceptions.TooManyRequestsError, "rate_limit", "medium"),
        ("spent@example.org", exceptions.UnauthorizedError, "quota", "high"),
        ("invalid@example.org", exceptions.BadRequestsError, "rejected", "low"),
        ("broken@example.org", exceptions.InternalServerError, "server", "medium"),
    ],
)
def test_a_refused_mail_is_told_by_codes_alone(
    capturing: Capturing, api: standin.SendGrid, to: str, error: type[Exception], error_class: str, severity: str
) -> None:
    with pytest.raises(error) as caught:
        send(api.url, to)

    message = f"{error.__name__}: HTTP {getattr(caught.value, 'status_code', None)}"
    assert capturing.graded() == ("email", "sendgrid", error_class, severity)
    assert capturing.record().message == message
    assert capturing.world.span().status.description == message
    (duration,) = capturing.points("email.client.operation.duration")
    assert duration.attributes[semconv.ERROR_TYPE] == error.__name__
    assert capturing.points(SENT) == []
    assert api.mails == []
    assert is_private(capturing)


def test_an_unverified_sender_is_a_fault_of_the_configuration(capturing: Capturing, api: standin.SendGrid) -> None:
    address, sender = "ann@example.org", "stranger@example.org"
    with pytest.raises(exceptions.ForbiddenError):
        send(api.url, address, sender=sender)

    assert capturing.graded() == ("email", "sendgrid", "config", "high")
    assert is_private(capturing)


def test_a_refused_key_is_auth(capturing: Capturing, api: standin.SendGrid) -> None:
    with pytest.raises(exceptions.UnauthorizedError):
        send(api.url, "ann@example.org", key=standin.REFUSED_KEY)

    assert capturing.graded() == ("email", "sendgrid", "auth", "high")


def test_a_refused_connection_has_no_status(capturing: Capturing) -> None:
    with pytest.raises(OSError, match="refused"):
        send("http://127.0.0.1:1", "ann@example.org")

    span = capturing.world.span()
    assert capturing.graded() == ("email", "sendgrid", "connection", "medium")
    assert span.status.description == "no answer: ConnectionRefusedError: Connection refused"
    assert semconv.HTTP_RESPONSE_STATUS_CODE not in (span.attributes or {})


def test_no_answer_in_time_is_a_time_out(capturing: Capturing) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TimeoutError):
        send(f"http://127.0.0.1:{silent.getsockname()[1]}", "ann@example.org", timeout=0.05)

    assert capturing.graded() == ("email", "sendgrid", "timeout", "medium")


def test_other_requests_are_none_of_ours_and_uninstrument_restores(capturing: Capturing, api: standin.SendGrid) -> None:
    sendgrid.SendGridAPIClient(api_key="x", host=api.url).client.templates.get()
    capturing.world.engine.uninstrument()
    send(api.url, "ann@example.org")

    assert (capturing.spans(), len(api.mails)) == ([], 1)
