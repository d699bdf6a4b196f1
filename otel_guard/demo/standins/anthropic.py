"""Anthropic's Messages, told to fail by words in the prompt."""

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from otel_guard.demo.standins._http import Request, Response, as_json, serve

REFUSED_KEY: Final = "refused-key"
RATE_LIMITED: Final = "[standin: rate limit]"
NO_CREDIT: Final = "[standin: no credit]"
OVERLOADED: Final = "[standin: overloaded]"
TOO_LONG: Final = "[standin: too long]"
BREAKS: Final = "[standin: breaks]"  # a stream that begins well
UNKNOWN_MODEL: Final = "claude-unknown"
REPLY: Final = "Thank you for your order: it leaves tomorrow morning."
_USAGE: Final = {"input_tokens": 42, "output_tokens": 17}
_REFUSALS: Final[Mapping[str, tuple[int, str, str]]] = {
    RATE_LIMITED: (429, "rate_limit_error", "This request would exceed your organization's rate limit."),
    NO_CREDIT: (400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
    OVERLOADED: (529, "overloaded_error", "Overloaded"),
    TOO_LONG: (400, "invalid_request_error", "prompt is too long: 200001 tokens > 200000 maximum"),
}


class Anthropic:
    """`requests` has the model of each call."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self._numbers = itertools.count(1)
        self._running = serve(self._answer)
        self.port = self._running.port
        self.url = self._running.url

    def stop(self) -> None:
        """Take no more requests."""
        self._running.stop()

    def _answer(self, request: Request) -> Response:
        response = self._route(request)
        headers = {"request-id": f"req_standin{next(self._numbers):08d}", "anthropic-organization-id": "org-standin"}
        return Response(response.status, response.body, {**response.headers, **headers})

    def _route(self, request: Request) -> Response:
        key = request.headers.get("authorization") or request.headers.get("x-api-key") or REFUSED_KEY
        if REFUSED_KEY in key:
            return _problem(401, "authentication_error", "invalid x-api-key")
        path = request.path.partition("?")[0]
        if path == "/v1/messages/count_tokens":
            return as_json(200, {"input_tokens": 42})
        if path != "/v1/messages":
            return _problem(404, "not_found_error", "Not found")
        asked = json.loads(request.body)
        self.requests.append(asked["model"])
        if asked["model"] == UNKNOWN_MODEL:
            return _problem(404, "not_found_error", f"model: {UNKNOWN_MODEL}")
        prompt = json.dumps(asked["messages"])
        refused = next((said for words, said in _REFUSALS.items() if words in prompt), None)
        if refused is not None:
            return _problem(*refused)
        if asked.get("stream"):
            events = "".join(_events(asked["model"], is_broken=BREAKS in prompt))
            return Response(200, events.encode(), {"Content-Type": "text/event-stream"})
        return as_json(200, _message(asked["model"], [{"type": "text", "text": REPLY}], "end_turn"))


def start() -> Anthropic:
    """Start it on a free port; its `url` is what `ANTHROPIC_BASE_URL` takes."""
    return Anthropic()


def _message(model: str, content: list[Any], stop_reason: str | None) -> dict[str, Any]:
    return {
        "id": "msg_standin",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": _USAGE,
    }


def _events(model: str, *, is_broken: bool) -> Iterator[str]:
    yield _event("message_start", message=_message(model, [], None))
    yield _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    yield _event("content_block_delta", index=0, delta={"type": "text_delta", "text": REPLY})
    if is_broken:
        yield _event("error", error={"type": "overloaded_error", "message": "Overloaded"})
        return
    yield _event("content_block_stop", index=0)
    yield _event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage=_USAGE)
    yield _event("message_stop")


def _event(kind: str, **fields: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n"


def _problem(status: int, kind: str, text: str) -> Response:
    headers = {"retry-after": "1"} if status == 429 else {}  # noqa: PLR2004 - Too Many Requests
    return as_json(status, {"type": "error", "error": {"type": kind, "message": text}}, headers)
