"""requests: an answer, and one that tells of a fault."""

from typing import Any

import requests

from otel_guard.demo.standins.web import BROKEN, start

__all__ = ["failing", "good", "start"]


def good(server: Any) -> None:
    """It is fine."""
    requests.get(server.url, timeout=5)


def failing(server: Any) -> None:
    """It is a 500."""
    requests.get(server.url + BROKEN, timeout=5)
