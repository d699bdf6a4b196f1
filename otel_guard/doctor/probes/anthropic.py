"""anthropic: a message, and one beyond the rate limit."""

from typing import Any

import anthropic

from otel_guard.demo.standins.anthropic import RATE_LIMITED, start

__all__ = ["failing", "good", "start"]


def good(server: Any) -> None:
    """It is answered."""
    _ask(server, "hello")


def failing(server: Any) -> None:
    """It is refused."""
    _ask(server, RATE_LIMITED)


def _ask(server: Any, words: str) -> None:
    with anthropic.Anthropic(api_key="doctor", base_url=server.url, max_retries=0, timeout=5) as client:
        client.messages.create(model="claude-doctor", max_tokens=10, messages=[{"role": "user", "content": words}])
