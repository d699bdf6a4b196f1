import smtplib
from asyncio import Server
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, Session
from opentelemetry.trace import StatusCode

from otel_guard.core import semconv
from otel_guard.instrumentation.smtplib import SMTPLIB
from tests.unit.instrumentation.conftest import World

FROM = "shop@example.org"


class Mailbox:
    """Refuses by the address; says the address back, as real servers do."""

    def __init__(self) -> None:
        self.mails: list[Envelope] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd looks for this name
        self, _server: Any, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("gone"):
            return f"550 5.1.1 <{address}>: Recipient address rejected"
        if address.startswith("busy"):
            return f"421 4.3.0 {address} try later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_MAIL(  # noqa: N802
        self, _server: Any, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("stranger"):
            return f"553 5.7.1 <{address}>: Sender not owned"
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if b"spam" in (envelope.content or b""):
            return "554 5.7.1 Message rejected as spam"
        self.mails.append(envelope)
        return "250 OK"


class AnyPort(Controller):
    """A controller that finds the port it was given."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@pytest.fixture
def port() -> Iterator[int]:
    controller = AnyPort(
        Mailbox(),
        hostname="127.0.0.1",
        port=0,
        auth_require_tls=False,
        authenticator=lambda *_: AuthResult(success=False, handled=False),
    )
    controller.start()
    yield controller.port
    controller.stop(no_assert=True)


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
