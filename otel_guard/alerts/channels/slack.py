"""Slack's incoming webhook: one message of blocks, once more as plain text if Slack refuses them."""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import msgspec

from otel_guard.alerts.channels._base import DEADLINE_S, answered, later, refused
from otel_guard.alerts.channels._slack_message import message, plain
from otel_guard.core.incident import Answer, Notice
from otel_guard.runtime import http
from otel_guard.runtime.clock import Clock

OK: Final = 200
BAD_REQUEST: Final = 400
LEAST_S: Final = 1.0
# What Slack says of a webhook that will never work again, whatever the status.
DEAD: Final = frozenset(
    {
        "account_inactive",
        "channel_is_archived",
        "channel_not_found",
        "invalid_token",
        "no_active_hooks",
        "no_service",
        "no_service_id",
        "no_team",
        "team_disabled",
        "token_revoked",
    }
)
_WORD: Final = re.compile(rb"[a-z_]{2,40}")
_HEADERS: Final = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "otel-guard"}


class Slack:
    """Posts to one webhook's address."""

    groups = True

    def __init__(self, name: str, url: str, clock: Clock) -> None:
        self.name = name
        self._url = url
        self._clock = clock

    def send(self, notices: Sequence[Notice], key: str) -> Answer:  # noqa: ARG002 - Slack knows no idempotency key
        """Post *notices* as one message."""
        return answered(self._clock, partial(self._send, notices))

    def _send(self, notices: Sequence[Notice]) -> Answer:
        until = self._clock.monotonic() + DEADLINE_S
        answer = self._post(message(notices), DEADLINE_S)
        if answer.status == BAD_REQUEST and answer.kind == "retry":
            answer = self._post(plain(notices), max(until - self._clock.monotonic(), LEAST_S))
        return answer

    def _post(self, payload: dict[str, Any], timeout_s: float) -> Answer:
        response = http.post(self._url, msgspec.json.encode(payload), _HEADERS, timeout_s)
        return read(response, self._clock.now_ms())


def read(response: http.Response, now_ms: int) -> Answer:
    """Yes is 200 and `ok`; a message refused with 400 is not the channel's end."""
    said = response.body.strip()
    word = said.decode() if _WORD.fullmatch(said) else ""
    if word in DEAD:
        return Answer(kind="dead", status=response.status, detail=f"{response.status} {word}")
    if response.status == OK:
        if word == "ok":
            return Answer(kind="ok", status=OK, detail="200 ok")
        return later(response, "without ok", now_ms)
    if response.status == BAD_REQUEST:
        return later(response, word, now_ms)
    return refused(response, word, now_ms)
