"""openai: a completion, and one beyond the rate limit."""

from typing import Any

import openai

from otel_guard.demo.standins.openai import RATE_LIMITED, start

__all__ = ["failing", "good", "start"]


def good(server: Any) -> None:
    """It is answered."""
    _ask(server, "hello")


def failing(server: Any) -> None:
    """It is refused."""
    _ask(server, RATE_LIMITED)


def _ask(server: Any, words: str) -> None:
    url = server.url if server.url.endswith("/v1") else f"{server.url}/v1"
    with openai.OpenAI(api_key="doctor", base_url=url, max_retries=0, timeout=5) as client:
        client.chat.completions.create(model="gpt-doctor", messages=[{"role": "user", "content": words}])
