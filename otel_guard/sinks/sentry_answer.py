"""What Sentry's answer to an event means: taken, refused, or later."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from msgspec import Struct

from otel_guard.runtime.http import Response

TOO_MANY: Final = 429
FIRST_SERVER_ERROR: Final = 500
SUCCESS: Final = range(200, 300)
# Sentry's SDK protocol: a 429 that names no time means a minute.
UNNAMED_WAIT_S: Final = 60.0
LONGEST_WAIT_S: Final = 86_400.0
ERROR_CATEGORIES: Final = frozenset({"", "error", "default"})


class Taken(Struct, frozen=True):
    """The event arrived; no other before *wait_s* seconds."""

    wait_s: float = 0.0


class Refused(Struct, frozen=True):
    """It will never be taken."""

    status: int


class Later(Struct, frozen=True):
    """It may be taken later, not before *after_s* seconds (None: nothing was said)."""

    why: str
    after_s: float | None = None


Answer = Taken | Refused | Later


def read(response: Response, now_ms: int) -> Answer:
    """Read status, `Retry-After` and `X-Sentry-Rate-Limits`."""
    limited_s = _rate_limit(response.headers)
    if response.status in SUCCESS:
        return Taken(limited_s or 0.0)
    if response.status == TOO_MANY:
        named = limited_s if limited_s is not None else _retry_after(response.headers, now_ms)
        return Later("Sentry answered 429", UNNAMED_WAIT_S if named is None else named)
    if response.status >= FIRST_SERVER_ERROR:
        return Later(f"Sentry answered {response.status}", _retry_after(response.headers, now_ms))
    return Refused(response.status)


def _retry_after(headers: Mapping[str, str], now_ms: int) -> float | None:
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now_ms / 1000
        except (ValueError, OverflowError):
            return None
    return _bounded(seconds)


def _rate_limit(headers: Mapping[str, str]) -> float | None:
    """The longest limit for errors in `seconds:categories:scope, …`."""
    found: list[float] = []
    for limit in headers.get("x-sentry-rate-limits", "").split(","):
        seconds, _, rest = limit.strip().partition(":")
        categories = rest.partition(":")[0].split(";")
        try:
            if ERROR_CATEGORIES.intersection(categories):
                found.append(_bounded(float(seconds)))
        except ValueError:
            continue
    return max(found, default=None)


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_WAIT_S) if seconds == seconds else 0.0  # noqa: PLR0124 - NaN
