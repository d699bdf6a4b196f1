"""resend: a mail that is taken, and one that is not."""

from typing import Any

import resend

from otel_guard.demo.standins.resend import BROKEN, start

__all__ = ["failing", "good", "start"]


def good(server: Any) -> None:
    """It is taken."""
    _send(server, "doctor@example.org")


def failing(server: Any) -> None:
    """The provider breaks."""
    _send(server, f"{BROKEN}@example.org")


def _send(server: Any, to: str) -> None:
    resend.api_key, resend.api_url = "doctor", server.url
    resend.Emails.send({"from": "doctor@example.org", "to": [to], "subject": "doctor", "html": "a call"})
