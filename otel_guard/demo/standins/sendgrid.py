"""SendGrid's mail/send, told to fail by how an address or a key begins."""

import itertools
import json
from collections.abc import Mapping
from typing import Any, Final

from otel_guard.demo.standins._http import Request, Response, as_json, serve

PATH: Final = "/v3/mail/send"
REFUSED_KEY: Final = "SG.refused"
UNVERIFIED: Final = "stranger"  # of the sender's address; the other words are of the recipient's
LIMITED: Final = "limited"
SPENT: Final = "spent"
INVALID: Final = "invalid"
BROKEN: Final = "broken"
_REFUSALS: Final[Mapping[str, tuple[int, str]]] = {
    LIMITED: (429, "too many requests"),
    SPENT: (401, "Maximum credits exceeded"),
    INVALID: (400, "Does not contain a valid address: {to}"),
    BROKEN: (500, "Internal server error for {to}"),
}


class SendGrid:
    """`mails` is what was taken."""

    def __init__(self) -> None:
        self.mails: list[Mapping[str, Any]] = []
        self._numbers = itertools.count(1)
        self._running = serve(self._answer)
        self.port = self._running.port
        self.url = self._running.url

    def stop(self) -> None:
        """Take no more requests."""
        self._running.stop()

    def _answer(self, request: Request) -> Response:
        if request.headers.get("authorization", "").endswith(REFUSED_KEY):
            return _problem(401, "The provided authorization grant is invalid, expired, or revoked")
        if request.path != PATH:
            return as_json(200, {"result": []})
        mail = json.loads(request.body)
        if mail["from"]["email"].startswith(UNVERIFIED):
            return _problem(403, "The from address does not match a verified Sender Identity.")
        to = mail["personalizations"][0]["to"][0]["email"]
        for word, (status, text) in _REFUSALS.items():
            if to.startswith(word):
                return _problem(status, text.format(to=to))
        self.mails.append(mail)
        return Response(202, b"", {"X-Message-Id": f"standin{next(self._numbers):08d}"})


def start() -> SendGrid:
    """Start it on a free port; its `url` is the client's `host`."""
    return SendGrid()


def _problem(status: int, text: str) -> Response:
    headers = {"Retry-After": "1"} if status == 429 else {}  # noqa: PLR2004 - Too Many Requests
    return as_json(status, {"errors": [{"message": text, "field": None, "help": None}]}, headers)
