import asyncio
import socket
from email.message import EmailMessage
from typing import Any

import aiosmtplib
import pytest
from opentelemetry.trace import StatusCode

from otel_guard.core import semconv
from otel_guard.instrumentation.aiosmtplib import AIOSMTPLIB
from tests.integration.instrumentation.capturing import Capturing
from tests.integration.instrumentation.mailbox import port
from tests.unit.instrumentation.conftest import MakeWorld

__all__ = ["port"]
FROM = "shop@example.org"


@pytest.fixture
def capturing(make_world: MakeWorld) -> Capturing:
    return Capturing(make_world, AIOSMTPLIB)


def send(port: int, *to: str, sender: str = FROM, text: str = "Thank you", **more: Any) -> dict[str, Any]:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, ", ".join(to), "Order"
    message.set_content(text)
    refused, _ = asyncio.run(aiosmtplib.send(message, hostname="127.0.0.1", port=port, start_tls=False, **more))
    return refused


def test_a_mail_is_one_span(capturing: Capturing, port: int) -> None:
    assert send(port, "ann@example.org", "bob@example.org") == {}

    span = capturing.world.span()
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
    assert [point.value for point in capturing.points("email.client.sent.messages")] == [1]
    assert [point.count for point in capturing.points("email.client.operation.duration")] == [1]
    assert capturing.records() == []


def test_some_refused_is_partial_without_an_address_anywhere(capturing: Capturing, port: int) -> None:
    refused = send(port, "ann@example.org", "gone@example.org")

    assert list(refused) == ["gone@example.org"]
    span = capturing.world.span()
    assert span.status.status_code is StatusCode.UNSET
    assert (span.attributes or {})[semconv.GUARD_OUTCOME] == "partial"
    assert (span.attributes or {})[semconv.SMTP_ENHANCED_STATUS_CODE] == "5.1.1"
    assert capturing.graded() == ("email", "smtp", "rejected", "low")
    assert capturing.record().message == "1 of 2 recipients refused: 550 5.1.1"
    assert not capturing.record().reportable
    assert "@" not in capturing.everything()
    assert [point.value for point in capturing.points("email.client.sent.messages")] == [1]
    assert [point.value for point in capturing.points("email.client.rejected.recipients")] == [1]


@pytest.mark.parametrize(
    ("to", "sender", "text", "error", "error_class", "severity", "message"),
    [
        ("gone", FROM, "", aiosmtplib.SMTPRecipientsRefused, "rejected", "low", "all 1 recipients refused: 550 5.1.1"),
        (
            "busy",
            FROM,
            "",
            aiosmtplib.SMTPRecipientsRefused,
            "connection",
            "medium",
            "all 1 recipients refused: 421 4.3.0",
        ),
        (
            "ann",
            "stranger@example.org",
            "",
            aiosmtplib.SMTPSenderRefused,
            "config",
            "high",
            "SMTPSenderRefused: 553 5.7.1",
        ),
        ("ann", FROM, "spam", aiosmtplib.SMTPDataError, "content", "medium", "SMTPDataError: 554 5.7.1"),
    ],
)
def test_a_refused_mail_is_told_by_codes_alone(
    capturing: Capturing,
    port: int,
    to: str,
    sender: str,
    text: str,
    error: type[Exception],
    error_class: str,
    severity: str,
    message: str,
) -> None:
    address = f"{to}@example.org"
    with pytest.raises(error):
        send(port, address, sender=sender, text=text)

    assert capturing.graded() == ("email", "smtp", error_class, severity)
    assert capturing.record().message == message
    assert capturing.world.span().status.description == message
    assert "@" not in capturing.everything()
    assert capturing.points("email.client.sent.messages") == []


def test_a_refused_login_is_auth_and_shows_no_name(capturing: Capturing, port: int) -> None:
    address = "ann@example.org"
    with pytest.raises(aiosmtplib.SMTPAuthenticationError):
        send(port, address, username=address, password="wrong")

    assert capturing.graded() == ("email", "smtp", "auth", "high")
    assert capturing.world.span().name == "connect smtp"
    assert "@" not in capturing.everything()


def test_a_refused_connection_is_one_span(capturing: Capturing, port: int) -> None:
    with pytest.raises(aiosmtplib.SMTPConnectError):
        send(1, "ann@example.org")
    send(port, "ann@example.org")

    refused, sent = capturing.spans()
    assert (refused.name, sent.name) == ("connect smtp", "send smtp")
    assert (refused.attributes or {})[semconv.SERVER_PORT] == 1
    assert capturing.graded() == ("email", "smtp", "connection", "medium")


def test_a_server_that_says_nothing_is_a_time_out(capturing: Capturing) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(aiosmtplib.SMTPConnectTimeoutError):
        send(silent.getsockname()[1], "ann@example.org", timeout=0.1)

    assert capturing.graded() == ("email", "smtp", "timeout", "medium")


def test_a_cancelled_mail_is_no_failure(capturing: Capturing) -> None:
    async def run() -> None:
        begun, ended = asyncio.Event(), asyncio.Event()

        async def hang_at_mail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 ready\r\n")
            while line := await reader.readline():
                if line.startswith(b"MAIL"):
                    begun.set()
                else:
                    writer.write(b"250 OK\r\n")
            writer.close()
            ended.set()

        server = await asyncio.start_server(hang_at_mail, "127.0.0.1", 0)
        where = {"hostname": "127.0.0.1", "port": server.sockets[0].getsockname()[1]}
        task = asyncio.create_task(aiosmtplib.send(b"x", sender=FROM, recipients=["a@example.org"], **where))
        await asyncio.wait_for(begun.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(ended.wait(), 10)
        server.close()

    asyncio.run(run())

    span = capturing.world.span()
    assert (span.status.status_code, (span.attributes or {})[semconv.GUARD_OUTCOME]) == (StatusCode.UNSET, "cancelled")
    assert capturing.records() == []
    assert capturing.points("email.client.operation.duration") == []
