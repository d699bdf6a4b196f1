"""aiosmtplib: a mail that is taken, and one that is refused."""

import asyncio
from email.message import EmailMessage
from typing import Any

import aiosmtplib

from otel_guard.demo.standins.smtp import start

__all__ = ["failing", "good", "start"]


def good(server: Any) -> None:
    """It is sent."""
    _send(server, "doctor@example.org")


def failing(server: Any) -> None:
    """Its only recipient does not exist."""
    _send(server, "bounced@example.org")


def _send(server: Any, to: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "doctor@example.org", to, "doctor"
    mail.set_content("a call of otel-guard doctor")
    asyncio.run(aiosmtplib.send(mail, hostname="127.0.0.1", port=server.port, start_tls=False, timeout=5))
