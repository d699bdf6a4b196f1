"""A real mail server that refuses by the address."""

from asyncio import Server
from collections.abc import Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, Session


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
