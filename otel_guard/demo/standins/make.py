"""A custom webhook of Make.com: it keeps what it is sent, checks the signature, and can be told to fail."""

import hashlib
import hmac
import json
import threading
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from otel_guard.demo.standins._http import Request, Response, as_json, serve
from otel_guard.runtime.clock import SYSTEM

PATH: Final = "/demo0000webhook"
HANG_S: Final = 60.0
OLDEST_S: Final = 300
SIGNATURE: Final = "x-otel-guard-signature"


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One object that was taken; `at_ms` is when its request was read."""

    at_ms: int
    key: str
    api_key: str | None
    is_signed: bool
    body: dict[str, Any]


class Refusal(msgspec.Struct, frozen=True):
    """What it says instead of taking an object; `after` becomes Retry-After."""

    status: int
    words: str = ""
    after: str | None = None


class Make:
    """`deliveries` is everything that was taken, repeats of a key included; `refused` counts the others."""

    def __init__(self, secret: str | None = None, *, confirms: bool = False, port: int = 0) -> None:
        self.deliveries: list[Delivery] = []
        self.refused = 0
        self.confirms = confirms  # whether the scenario has a step that answers {"ok":true}
        self._secret = secret
        self._refusal: Refusal | None = None
        self._is_hanging = False
        self._released = threading.Event()
        self._running = serve(self._answer, port)
        self.port = self._running.port
        self.url = self._running.url + PATH

    def refuse(self, status: int, words: str = "", after: int | str | None = None) -> None:
        """Answer *status* and *words* from now on, until `accept`: 400 Queue is full, 410, 429, 5xx."""
        self._refusal = Refusal(status, words, None if after is None else str(after))

    def fill_queue(self) -> None:
        """Answer as a webhook whose queue is full."""
        self.refuse(400, "Queue is full")

    def hang(self) -> None:
        """Take requests and say nothing, until `accept`."""
        self._released.clear()
        self._is_hanging = True

    def accept(self) -> None:
        """Take objects again; who hangs gets 503."""
        self._refusal, self._is_hanging = None, False
        self._released.set()

    def stop(self) -> None:
        """Take no more requests."""
        self.accept()
        self._running.stop()

    def _answer(self, request: Request) -> Response:
        at_ms = SYSTEM.now_ms()
        if request.path.partition("?")[0] != PATH:
            return _said(404, "There is no webhook at this address.")
        if self._is_hanging:
            self.refused += 1
            self._released.wait(HANG_S)
            return _said(503, "")
        if (refusal := self._refusal) is not None:
            self.refused += 1
            return _said(refusal.status, refusal.words, refusal.after)
        if self._secret is not None and not is_signed(self._secret, request.headers, request.body, at_ms // 1000):
            self.refused += 1
            return _said(401, "Unauthorized")
        self.deliveries.append(
            Delivery(
                at_ms=at_ms,
                key=request.headers.get("idempotency-key", ""),
                api_key=request.headers.get("x-make-apikey"),
                is_signed=SIGNATURE in request.headers,
                body=json.loads(request.body),
            )
        )
        return as_json(200, {"ok": True}) if self.confirms else _said(200, "Accepted")


def start(secret: str | None = None, *, confirms: bool = False, port: int = 0) -> Make:
    """Start it, on a free port unless *port* says which; `url` is what `MAKE_WEBHOOK_URL` takes."""
    return Make(secret, confirms=confirms, port=port)


def is_signed(secret: str, headers: Mapping[str, str], body: bytes, now_s: int) -> bool:
    """Whether the signature is that of *body*, and at most 300 s old: what a receiver does."""
    parts = dict(part.partition("=")[::2] for part in headers.get(SIGNATURE, "").split(","))
    at = parts.get("t", "")
    if not at.isdigit() or abs(now_s - int(at)) > OLDEST_S:
        return False
    expected = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, parts.get("v1", ""))


def _said(status: int, words: str, after: str | None = None) -> Response:
    headers = {"Content-Type": "text/plain"} | ({} if after is None else {"Retry-After": after})
    return Response(status, words.encode(), headers)
