"""Resend's mails and batches, told to fail by how an address or a key begins."""

import itertools
import json
from collections.abc import Mapping
from typing import Any, Final

from otel_guard.demo.standins._http import Request, Response, as_json, serve

REFUSED_KEY: Final = "re_refused"
UNVERIFIED: Final = "stranger"  # of the sender's address; the other words are of the recipient's
LIMITED: Final = "limited"
SPENT: Final = "spent"
INVALID: Final = "invalid"
BROKEN: Final = "broken"
_REFUSALS: Final[Mapping[str, tuple[int, str, str]]] = {
    LIMITED: (429, "rate_limit_exceeded", "Too many requests. You can only make 2 requests per second."),
    SPENT: (429, "daily_quota_exceeded", "You have reached your daily email sending quota."),
    INVALID: (422, "validation_error", "Invalid `to` field: {to}"),
    BROKEN: (500, "application_error", "An unexpected error occurred."),
}


class Resend:
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
            return _problem(403, "invalid_api_key", "API key is invalid")
        if request.method == "GET":
            return as_json(200, {"object": "list", "data": []})
        asked = json.loads(request.body)
        if request.path == "/emails/batch":
            return self._batch(asked, is_permissive=request.headers.get("x-batch-validation") == "permissive")
        if request.path.startswith("/broadcasts/") and request.path.endswith("/send"):
            return as_json(200, self._taken({}))
        if request.path != "/emails":
            return _problem(404, "not_found", "The requested endpoint does not exist")
        refused = _refusal(asked)
        return _problem(*refused) if refused else as_json(200, self._taken(asked))

    def _batch(self, mails: list[Mapping[str, Any]], *, is_permissive: bool) -> Response:
        refusals = {index: refused for index, mail in enumerate(mails) if (refused := _refusal(mail)) is not None}
        if refusals and not is_permissive:
            return _problem(*next(iter(refusals.values())))
        taken = [self._taken(mail) for index, mail in enumerate(mails) if index not in refusals]
        errors = [{"index": index, "message": refused[2]} for index, refused in refusals.items()]
        return as_json(200, {"data": taken, **({"errors": errors} if errors else {})})

    def _taken(self, mail: Mapping[str, Any]) -> dict[str, str]:
        self.mails.append(mail)
        return {"id": f"00000000-0000-4000-8000-{next(self._numbers):012d}"}


def start() -> Resend:
    """Start it on a free port; its `url` is what `RESEND_API_URL` takes."""
    return Resend()


def _refusal(mail: Mapping[str, Any]) -> tuple[int, str, str] | None:
    if str(mail.get("from", "")).startswith(UNVERIFIED):
        return 403, "validation_error", f"The domain of {mail['from']} is not verified."
    to = mail.get("to", "")
    first = str(to[0] if isinstance(to, list) else to)
    for word, (status, kind, text) in _REFUSALS.items():
        if first.startswith(word):
            return status, kind, text.format(to=first)
    return None


def _problem(status: int, kind: str, text: str) -> Response:
    headers = {"retry-after": "1"} if status == 429 else {}  # noqa: PLR2004 - Too Many Requests
    return as_json(status, {"statusCode": status, "name": kind, "message": text}, headers)
