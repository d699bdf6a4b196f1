"""httpx2: an answer, and one that tells of a fault."""

from typing import Any

import httpx2

from otel_guard.demo.standins.web import BROKEN, start

__all__ = ["failing", "good", "start"]


def good(server: Any) -> None:
    """It is fine."""
    httpx2.get(server.url, timeout=5)


def failing(server: Any) -> None:
    """It is a 500."""
    httpx2.get(server.url + BROKEN, timeout=5)
