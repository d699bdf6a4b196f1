"""sendgrid: a mail that is taken, and one that is not."""

from typing import Any

import sendgrid  # type: ignore[import-untyped]
from sendgrid.helpers.mail import Mail  # type: ignore[import-untyped]

from otel_guard.demo.standins.sendgrid import BROKEN, start

__all__ = ["failing", "good", "start"]


def good(server: Any) -> None:
    """It is taken."""
    _send(server, "doctor@example.org")


def failing(server: Any) -> None:
    """The provider breaks."""
    _send(server, f"{BROKEN}@example.org")


def _send(server: Any, to: str) -> None:
    mail = Mail(from_email="doctor@example.org", to_emails=[to], subject="doctor", html_content="a call")
    sendgrid.SendGridAPIClient(api_key="doctor", host=server.url).send(mail)
