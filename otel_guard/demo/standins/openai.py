"""OpenAI's chat completions, told to fail by words in the prompt."""

import itertools
import json
from collections.abc import Mapping
from typing import Final

from otel_guard.demo.standins._http import Request, Response, as_json, serve

RATE_LIMITED: Final = "[standin: rate limit]"
NO_QUOTA: Final = "[standin: no quota]"
SERVER_ERROR: Final = "[standin: server error]"
_LIMITS: Final[Mapping[str, str]] = {
    "retry-after": "1",
    "retry-after-ms": "40",
    "x-ratelimit-limit-requests": "60",
    "x-ratelimit-remaining-requests": "0",
    "x-ratelimit-reset-requests": "40ms",
}
_REPLY: Final = "Thank you for your order: it is being packed with care and leaves tomorrow morning."


class OpenAI:
    """`requests` has the model of each call."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self._numbers = itertools.count(1)
        self._running = serve(self._answer)
        self.port = self._running.port
        self.url = f"{self._running.url}/v1"

    def stop(self) -> None:
        """Take no more requests."""
        self._running.stop()

    def _answer(self, request: Request) -> Response:
        number = next(self._numbers)
        response = self._route(request, number)
        headers = {**response.headers, "x-request-id": f"req_standin{number:08d}", "openai-processing-ms": "12"}
        return Response(response.status, response.body, headers)

    def _route(self, request: Request, number: int) -> Response:
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return _problem(401, "You didn't provide an API key.", "invalid_request_error", None)
        if request.path == "/v1/models":
            return as_json(200, {"object": "list", "data": []})
        if request.path != "/v1/chat/completions":
            return _problem(404, f"Invalid URL ({request.method} {request.path})", "invalid_request_error", None)
        asked = json.loads(request.body)
        self.requests.append(asked["model"])
        prompt = " ".join(str(message.get("content", "")) for message in asked["messages"])
        return _refusal(prompt, asked["model"]) or as_json(200, _completion(asked["model"], number))


def start() -> OpenAI:
    """Start it on a free port; its `url` is what `OPENAI_BASE_URL` takes."""
    return OpenAI()


def _refusal(prompt: str, model: str) -> Response | None:
    if RATE_LIMITED in prompt:
        text = f"Rate limit reached for {model} on requests per min (RPM): Limit 60, Used 60, Requested 1."
        return _problem(429, text, "requests", "rate_limit_exceeded", _LIMITS)
    if NO_QUOTA in prompt:
        text = "You exceeded your current quota, please check your plan and billing details."
        return _problem(429, text, "insufficient_quota", "insufficient_quota", {"x-should-retry": "false"})
    if SERVER_ERROR in prompt:
        return _problem(500, "The server had an error while processing your request.", "server_error", None)
    return None


def _completion(model: str, number: int) -> dict[str, object]:
    message = {"role": "assistant", "content": _REPLY, "refusal": None}
    return {
        "id": f"chatcmpl-standin{number:08d}",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": {"prompt_tokens": 42, "completion_tokens": 17, "total_tokens": 59},
    }


def _problem(status: int, text: str, kind: str, code: str | None, headers: Mapping[str, str] | None = None) -> Response:
    return as_json(status, {"error": {"message": text, "type": kind, "param": None, "code": code}}, headers)
