"""smtplib: a mail that is taken, and one that is refused."""

import smtplib
from typing import Any

from otel_guard.demo.standins.smtp import start

__all__ = ["failing", "good", "start"]


def good(server: Any) -> None:
    """It is sent."""
    _send(server, "doctor@example.org")


def failing(server: Any) -> None:
    """Its only recipient does not exist."""
    _send(server, "bounced@example.org")


def _send(server: Any, to: str) -> None:
    with smtplib.SMTP("127.0.0.1", server.port, local_hostname="doctor", timeout=5) as client:
        client.sendmail("doctor@example.org", [to], "Subject: doctor\r\n\r\na call of otel-guard doctor\r\n")
