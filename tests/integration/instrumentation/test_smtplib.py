import smtplib
from email.message import EmailMessage

import pytest
from opentelemetry.trace import StatusCode

from otel_guard.core import semconv
from otel_guard.instrumentation.smtplib import SMTPLIB
from tests.integration.instrumentation.mailbox import port
from tests.unit.instrumentation.conftest import World

__all__ = ["port"]
FROM = "shop@example.org"


@pytest.fixture
def watched(world: World) -> World:
    world.engine.install(SMTPLIB)
    return world


def send(port: int, *to: str, sender: str = FROM, text: str = "Thank you") -> dict[str, tuple[int, bytes]]:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, ", ".join(to), "Order"
    message.set_content(text)
    with smtplib.SMTP("127.0.0.1", port) as server:
        return server.send_message(message)


def test_a_mail_is_one_span(watched: World, port: int) -> None:
    assert send(port, "ann@example.org", "bob@example.org") == {}

    span = watched.span()
    found = dict(span.attributes or {})
    assert found.pop(semconv.EMAIL_MESSAGE_SIZE)
    assert (span.name, span.status.status_code) == ("send smtp", StatusCode.UNSET)
    assert found == {
        semconv.GUARD_CONTEXT: "email",
        semconv.EMAIL_PROVIDER_NAME: "smtp",
        semconv.EMAIL_OPERATION_NAME: "send",
        semconv.EMAIL_RECIPIENT_COUNT: 2,
        semconv.SERVER_ADDRESS: "127.0.0.1",
        semconv.SERVER_PORT: port,
    }
    assert [point.value for point in watched.points("email.client.sent.messages")] == [1]
    assert [point.count for point in watched.points("email.client.operation.duration")] == [1]


def test_some_refused_is_partial_without_an_address_anywhere(watched: World, port: int) -> None:
    refused = send(port, "ann@example.org", "gone@example.org")

    assert list(refused) == ["gone@example.org"]
    ((_, exc, outcome, _),) = watched.handed
    span = watched.span()
    assert (exc, outcome.kind, outcome.error_class) == (None, "partial", "rejected")
    assert outcome.message == "1 of 2 recipients refused: 550 5.1.1"
    assert span.status.status_code is StatusCode.UNSET
    assert (span.attributes or {})[semconv.GUARD_OUTCOME] == "partial"
    assert (span.attributes or {})[semconv.SMTP_ENHANCED_STATUS_CODE] == "5.1.1"
    assert "@" not in span.to_json() + repr(outcome)
    assert [point.value for point in watched.points("email.client.rejected.recipients")] == [1]


@pytest.mark.parametrize(
    ("to", "sender", "text", "error", "error_type", "error_class", "message"),
    [
        (
            ("gone@example.org",),
            FROM,
            "",
            smtplib.SMTPRecipientsRefused,
            "recipients_refused",
            "rejected",
            "all 1 recipients refused: 550 5.1.1",
        ),
        (
            ("busy@example.org",),
            FROM,
            "",
            smtplib.SMTPRecipientsRefused,
            "recipients_refused",
            "connection",
            "all 1 recipients refused: 421 4.3.0",
        ),
        (
            ("ann@example.org",),
            "stranger@example.org",
            "",
            smtplib.SMTPSenderRefused,
            "SMTPSenderRefused",
            "config",
            "SMTPSenderRefused: 553 5.7.1",
        ),
        (
            ("ann@example.org",),
            FROM,
            "spam",
            smtplib.SMTPDataError,
            "SMTPDataError",
            "content",
            "SMTPDataError: 554 5.7.1",
        ),
    ],
)
def test_a_refused_mail_is_told_by_codes_alone(
    watched: World,
    port: int,
    to: tuple[str, ...],
    sender: str,
    text: str,
    error: type[Exception],
    error_type: str,
    error_class: str,
    message: str,
) -> None:
    with pytest.raises(error) as caught:
        send(port, *to, sender=sender, text=text)

    ((_, exc, outcome, _),) = watched.handed
    assert exc is caught.value
    assert (outcome.error_type, outcome.error_class, outcome.message) == (error_type, error_class, message)
    assert watched.span().status.status_code is StatusCode.ERROR
    assert "@" not in watched.span().to_json() + repr(outcome)


def test_a_refused_login_is_auth_and_shows_no_name(watched: World, port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port) as server, pytest.raises(smtplib.SMTPAuthenticationError):
        server.login("ann@example.org", "wrong")

    span = watched.span()
    assert (span.name, [outcome.error_class for _, _, outcome, _ in watched.handed]) == ("login smtp", ["auth"])
    assert "ann" not in span.to_json()


def test_a_refused_connection_is_one_span(watched: World, port: int) -> None:
    with pytest.raises(ConnectionRefusedError):
        smtplib.SMTP("127.0.0.1", 1)
    smtplib.SMTP("127.0.0.1", port).quit()

    span = watched.span()
    assert (span.name, [outcome.error_class for _, _, outcome, _ in watched.handed]) == ("connect smtp", ["connection"])
    assert (span.attributes or {})[semconv.SERVER_PORT] == 1
    assert span.status.description == "ConnectionRefusedError: Connection refused"
