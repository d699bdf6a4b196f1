"""What a check is, and how an HTTP answer is read."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from msgspec import Struct

from otel_guard.core.dependency import Status
from otel_guard.runtime.http import NoAnswerError, Response, request

OK: Final = 200
UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403
TOO_MANY: Final = 429
ERRORS: Final = 400
SERVER_ERRORS: Final = 500


class Found(Struct, frozen=True):
    """What a check found; *depth* is a queue's."""

    status: Status
    message: str | None = None
    depth: int | None = None


class Check(Struct, frozen=True, kw_only=True):
    """One active check; a run that raises, or lasts longer than *timeout_s*, is unhealthy."""

    name: str
    run: Callable[[], Found]
    timeout_s: float
    every_s: float
    is_critical: bool = False
    is_deciding: bool = True  # False: it proves the edge alone
    kind: str = "service"  # service, queue


class Asks(Protocol):
    """`runtime.http.request`, or a test's."""

    def __call__(self, method: str, url: str, headers: Mapping[str, str], timeout: float) -> Response:
        """Ask once."""
        ...


def http_check(
    method: str,
    url: str,
    headers: Mapping[str, str],
    timeout_s: float,
    *,
    reachable: Callable[[Response], bool] = lambda _answer: False,
    ask: Asks = request,
) -> Found:
    """Ask *url*; an answer that is *reachable* is good though it refuses."""
    try:
        answer = ask(method, url, headers, timeout_s)
    except NoAnswerError as error:
        return Found("unhealthy", str(error.__cause__ and type(error.__cause__).__name__) + ": no answer")
    if answer.status < ERRORS or reachable(answer):
        return Found("healthy")
    if answer.status in {UNAUTHORIZED, FORBIDDEN}:
        return Found("unhealthy", "credentials")
    if answer.status == TOO_MANY:
        return Found("degraded", "rate limited")
    is_down = answer.status >= SERVER_ERRORS
    return Found("unhealthy" if is_down else "degraded", f"HTTP {answer.status}")
