"""httpx: an answer, and one that tells of a fault."""

from typing import Any

import httpx

from otel_guard.demo.standins.web import BROKEN, start

__all__ = ["failing", "good", "start"]


def good(server: Any) -> None:
    """It is fine."""
    httpx.get(server.url, timeout=5)


def failing(server: Any) -> None:
    """It is a 500."""
    httpx.get(server.url + BROKEN, timeout=5)
