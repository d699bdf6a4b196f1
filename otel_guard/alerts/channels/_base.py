"""What a channel is, and what the answer of its server means."""

from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, Protocol

from otel_guard.core.incident import Answer, Notice
from otel_guard.runtime import http
from otel_guard.runtime.clock import Clock

DEADLINE_S: Final = 10.0
LONGEST_WAIT_S: Final = 86_400.0
_LATER: Final = frozenset({408, 425, 429})
_SERVER_ERROR: Final = 500


class Channel(Protocol):
    """Where notices go."""

    name: str
    groups: bool  # whether several notices make one message

    def send(self, notices: Sequence[Notice], key: str) -> Answer:
        """Send *notices* within 10 s; *key* is the same when they are sent again. Never raises."""
        ...


def answered(clock: Clock, exchange: Callable[[], Answer]) -> Answer:
    """The answer of *exchange* with its time; a server that does not answer is tried again."""
    began = clock.monotonic()
    try:
        answer = exchange()
    except http.NoAnswerError as error:
        answer = Answer(kind="retry", detail=str(error))
    except Exception as error:  # a channel never raises: who calls it has other messages to send
        answer = Answer(kind="retry", detail=f"not sent ({type(error).__name__})")
    took_ms = round((clock.monotonic() - began) * 1000, 1)
    return Answer(kind=answer.kind, status=answer.status, detail=answer.detail, after_s=answer.after_s, took_ms=took_ms)


def refused(response: http.Response, word: str, now_ms: int) -> Answer:
    """What an answer other than yes means: later (408, 425, 429, 5xx), else the channel is dead."""
    if response.status in _LATER or response.status >= _SERVER_ERROR:
        return later(response, word, now_ms)
    return Answer(kind="dead", status=response.status, detail=_detail(response.status, word))


def later(response: http.Response, word: str, now_ms: int) -> Answer:
    """Try again, not before the time that the server named."""
    after_s = retry_after(response.headers, now_ms)
    return Answer(kind="retry", status=response.status, detail=_detail(response.status, word), after_s=after_s)


def phrase(status: int) -> str:
    """The standard words for *status*; a server's own text may hold anything."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def retry_after(headers: Mapping[str, str], now_ms: int) -> float | None:
    """Seconds that `Retry-After` asks for, as seconds or as an HTTP date; None: it asks for nothing."""
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now_ms / 1000
        except (ValueError, OverflowError):
            return None
    return min(max(seconds, 0.0), LONGEST_WAIT_S) if seconds == seconds else None  # noqa: PLR0124 - NaN


def _detail(status: int, word: str) -> str:
    return f"{status} {word or phrase(status)}".rstrip()
