"""A webhook that takes one flat JSON object a notice: Make.com, n8n, one's own."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

import msgspec

from otel_guard.alerts.channels._base import DEADLINE_S, answered, later, phrase, refused
from otel_guard.core.incident import Answer, Notice
from otel_guard.runtime import http
from otel_guard.runtime.clock import Clock

SCHEMA: Final = "otel_guard.alert.v1"
SIGNATURE: Final = "X-Otel-Guard-Signature"
_SUCCESS: Final = range(200, 300)
_BAD_REQUEST: Final = 400
_EXACT: Final = 2.0**53
_QUEUE_FULL: Final = b"queue is full"  # Make.com: its queue is full, HTTP 400
_ACCEPTED: Final = b"accepted"  # Make.com: taken, also by a scenario that is switched off


class Webhook:
    """Posts each notice by itself, signed where there is a secret."""

    groups = False

    def __init__(
        self, name: str, url: str, clock: Clock, *, secret: str | None = None, api_key: str | None = None
    ) -> None:
        self.name = name
        self._url = url
        self._clock = clock
        self._secret = secret
        self._api_key = api_key

    def send(self, notices: Sequence[Notice], key: str) -> Answer:
        """Post *notices* in turn, up to the first that is not taken."""
        answer = Answer(kind="ok")
        for number, notice in enumerate(notices):
            each = key if number == 0 else f"{key}:{number}"
            answer = answered(self._clock, partial(self._post, notice, each))
            if answer.kind in {"retry", "dead"}:
                break
        return answer

    def _post(self, notice: Notice, key: str) -> Answer:
        content, now_ms = body(notice), self._clock.now_ms()
        headers = {"Content-Type": "application/json", "User-Agent": "otel-guard", "Idempotency-Key": key}
        if self._secret is not None:
            headers[SIGNATURE] = signature(self._secret, now_ms // 1000, content)
        if self._api_key is not None:
            headers["x-make-apikey"] = self._api_key
        return read(http.post(self._url, content, headers, DEADLINE_S), self._clock.now_ms())


def body(notice: Notice) -> bytes:
    """Every key is always there; null where there is nothing to say."""
    incident = notice.incident
    has_runbook = notice.url is not None and notice.runbook_id is not None
    return msgspec.json.encode(
        {
            "schema": SCHEMA,
            "event": notice.event,
            "type": incident.type,
            "rule": incident.rule,
            "id": incident.id,
            "dedup_key": incident.dedup_key,
            "severity": incident.severity,
            "context": incident.context,
            "message": f"{notice.held} messages held back" if notice.event == "held" else incident.message,
            "service": incident.service,
            "environment": incident.environment,
            "release": incident.release,
            "value": _number(incident.value),
            "threshold": _number(incident.threshold),
            "timestamp": _moment(notice.at),
            "started_at": _moment(incident.impact_started_at),
            "resolved_at": _moment(incident.resolved_at),
            "url": notice.url,
            "runbook_url": f"{notice.url}#runbook" if has_runbook else None,
            "queries": incident.queries,
            "labels": incident.labels,
        }
    )


def signature(secret: str, at: int, content: bytes) -> str:
    """`t=<unix>,v1=<hex>`: HMAC-SHA256 of *at*, a dot and *content*; a receiver refuses it after 300 s."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + content, hashlib.sha256)
    return f"t={at},v1={signed.hexdigest()}"


def read(response: http.Response, now_ms: int) -> Answer:
    """Only `{"ok": true}` proves that somebody acts on it; any other 2xx is taken, unconfirmed."""
    status, said = response.status, response.body.strip()
    if status in _SUCCESS:
        if _is_confirmed(said):
            return Answer(kind="ok", status=status, detail=f"{status} ok")
        word = "Accepted" if said.lower() == _ACCEPTED else phrase(status)
        return Answer(kind="unconfirmed", status=status, detail=f"{status} {word}, unconfirmed")
    if status == _BAD_REQUEST and _QUEUE_FULL in said.lower():
        return later(response, "Queue is full", now_ms)
    return refused(response, "", now_ms)


def _is_confirmed(said: bytes) -> bool:
    try:
        answer = msgspec.json.decode(said)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return isinstance(answer, dict) and answer.get("ok") is True


def _moment(at: datetime | None) -> str | None:
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _number(value: float | None) -> float | int | None:
    return int(value) if value is not None and value.is_integer() and abs(value) < _EXACT else value
