"""Gemini's generateContent, told to fail by words in the prompt."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from otel_guard.demo.standins._http import Request, Response, as_json, serve

REFUSED_KEY: Final = "refused-key"
RATE_LIMITED: Final = "[standin: rate limit]"
NO_QUOTA: Final = "[standin: no quota]"
OVERLOADED: Final = "[standin: overloaded]"
TOO_LONG: Final = "[standin: too long]"
BREAKS: Final = "[standin: breaks]"  # a stream that begins well
UNKNOWN_MODEL: Final = "gemini-unknown"
REPLY: Final = "Thank you for your order: it leaves tomorrow morning."
_USAGE: Final = {"promptTokenCount": 42, "candidatesTokenCount": 17, "totalTokenCount": 59}
_CALL: Final = re.compile(r"/v1(?:beta|beta1)?/models/([^:/]+):(\w+)")
_OVER: Final = "You exceeded your current quota, please check your plan and billing details."
_REFUSALS: Final[Mapping[str, tuple[int, str, str, str]]] = {
    RATE_LIMITED: (429, "RESOURCE_EXHAUSTED", _OVER, "GenerateRequestsPerMinutePerProjectPerModel"),
    NO_QUOTA: (429, "RESOURCE_EXHAUSTED", _OVER, "GenerateRequestsPerDayPerProjectPerModel-FreeTier"),
    OVERLOADED: (503, "UNAVAILABLE", "The model is overloaded. Please try again later.", ""),
    TOO_LONG: (400, "INVALID_ARGUMENT", "The input token count (2000000) exceeds the maximum number of tokens", ""),
}


class Gemini:
    """`requests` has the model of each call."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self._running = serve(self._answer)
        self.port = self._running.port
        self.url = self._running.url

    def stop(self) -> None:
        """Take no more requests."""
        self._running.stop()

    def _answer(self, request: Request) -> Response:
        if request.headers.get("x-goog-api-key", REFUSED_KEY) == REFUSED_KEY:
            reason = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
            return _problem(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", reason)
        found = _CALL.match(request.path)
        if found is None:
            return _problem(404, "NOT_FOUND", "Requested entity was not found.")
        model, method = found.groups()
        self.requests.append(model)
        if model == UNKNOWN_MODEL:
            return _problem(404, "NOT_FOUND", f"models/{model} is not found for API version v1beta")
        prompt = request.body.decode("utf-8", "replace")
        for words, (status, kind, text, quota) in _REFUSALS.items():
            if words in prompt:
                violation = {"violations": [{"quotaId": quota}]} if quota else None
                return _problem(status, kind, text, violation)
        return _accepted(model, method, prompt)


def start() -> Gemini:
    """Start it on a free port; its `url` is the `base_url` of the client's `http_options`."""
    return Gemini()


def _accepted(model: str, method: str, prompt: str) -> Response:
    if method == "streamGenerateContent":
        events = "".join(_events(model, is_broken=BREAKS in prompt))
        return Response(200, events.encode(), {"Content-Type": "text/event-stream"})
    if method in {"embedContent", "batchEmbedContents"}:
        values = {"values": [0.5, 0.25]}
        return as_json(200, {"embedding": values} if method == "embedContent" else {"embeddings": [values]})
    return as_json(200, _generated(model, REPLY, "STOP"))


def _generated(model: str, text: str, finished: str | None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    if finished:
        candidate["finishReason"] = finished
    return {"candidates": [candidate], "usageMetadata": _USAGE, "modelVersion": model, "responseId": "standin"}


def _events(model: str, *, is_broken: bool) -> Iterator[str]:
    yield f"data: {json.dumps(_generated(model, REPLY, None))}\r\n\r\n"
    if is_broken:
        error = {"code": 503, "status": "UNAVAILABLE", "message": "The model is overloaded."}
        yield f"data: {json.dumps({'error': error})}\r\n\r\n"
        return
    yield f"data: {json.dumps(_generated(model, REPLY, 'STOP'))}\r\n\r\n"


def _problem(status: int, kind: str, text: str, detail: Mapping[str, Any] | None = None) -> Response:
    error: dict[str, Any] = {"code": status, "message": text, "status": kind}
    if detail:
        error["details"] = [detail]
    headers = {"retry-after": "1"} if status == 429 else {}  # noqa: PLR2004 - Too Many Requests
    return as_json(status, {"error": error}, headers)
