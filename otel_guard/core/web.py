"""A request and its answer, apart from any web server."""

import json
from collections.abc import Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Final, Literal
from urllib.parse import parse_qsl

from msgspec import Struct

Role = Literal["viewer", "operator"]
JSON: Final = "application/json"
RETRY_AFTER_S: Final = 30
UNAVAILABLE: Final = 503
_REASONS: Final = {200: "OK", 405: "Method Not Allowed", UNAVAILABLE: "Service Unavailable"}


class Request(Struct, frozen=True, kw_only=True):
    """What `authorize` may look at; *path* is below the mounted application, header names are in lower case."""

    method: str
    path: str
    query_string: str = ""
    headers: Mapping[str, str] = {}

    @property
    def query(self) -> dict[str, str]:
        """The parameters, the last of each name."""
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies; none if they cannot be read."""
        try:
            return {name: morsel.value for name, morsel in SimpleCookie(self.headers.get("cookie", "")).items()}
        except CookieError:
            return {}


Authorize = Callable[[Request], Role | None]


class Answer(Struct, frozen=True):
    """Status, headers, body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def reason(self) -> str:
        """The status line's words."""
        return _REASONS.get(self.status, "")


def as_json(status: int, body: Mapping[str, object], *, is_head: bool = False) -> Answer:
    """An answer that nobody keeps; *is_head*: without its body, with its length."""
    content = json.dumps(body, separators=(",", ":")).encode()
    headers = [
        ("Content-Type", JSON),
        ("Content-Length", str(len(content))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if status == UNAVAILABLE:
        headers.append(("Retry-After", str(RETRY_AFTER_S)))
    return Answer(status, tuple(headers), b"" if is_head else content)
