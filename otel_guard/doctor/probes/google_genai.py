"""google-genai: a generated text, and one of a model that is overloaded."""

from typing import Any

from google import genai
from google.genai import types

from otel_guard.demo.standins.google_genai import OVERLOADED, start

__all__ = ["failing", "good", "start"]


def good(server: Any) -> None:
    """It is answered."""
    _ask(server, "hello")


def failing(server: Any) -> None:
    """It is refused."""
    _ask(server, OVERLOADED)


def _ask(server: Any, words: str) -> None:
    once = types.HttpRetryOptions(attempts=1)
    options = types.HttpOptions(base_url=server.url, timeout=5000, retry_options=once)
    client = genai.Client(api_key="doctor", http_options=options)  # it closes when it is collected
    client.models.generate_content(model="gemini-doctor", contents=words)
