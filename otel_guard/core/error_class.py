"""Which row of the severity table a failure falls into, from statuses and names alone."""

from collections.abc import Mapping
from typing import Final

from otel_guard.core import database_errors, semconv
from otel_guard.core.record import Context

_BY_STATUS: Final = {
    401: "auth",
    402: "quota",
    403: "auth",
    408: "timeout",
    409: "contention",
    429: "rate_limit",
    504: "timeout",
}
# Fragments of exception and error codes, most telling first; the first that fits wins.
_BY_NAME: Final = (
    ("insufficientquota", "quota"),
    ("ratelimit", "rate_limit"),
    ("toomanyrequests", "rate_limit"),
    ("throttl", "rate_limit"),
    ("timeout", "timeout"),
    ("timedout", "timeout"),
    ("authentication", "auth"),
    ("permission", "auth"),
    ("unauthorized", "auth"),
    ("forbidden", "auth"),
    ("modelnotfound", "config"),
    ("contextlength", "content"),
    ("contentfilter", "content"),
    ("credential", "auth"),
    ("connect", "connection"),
    ("serverdisconnected", "connection"),
    ("gaierror", "connection"),
    ("proxyerror", "connection"),
    ("sslerror", "connection"),
    ("conflict", "contention"),
    ("badrequest", "client"),
    ("notfound", "client"),
    ("unprocessable", "client"),
    ("invalidrequest", "client"),
    ("internalserver", "server"),
    ("overloaded", "server"),
    ("apierror", "server"),
)


def status_of(attributes: Mapping[str, object]) -> int | None:
    """The HTTP status on a span, by its new or old name."""
    value = attributes.get(semconv.HTTP_RESPONSE_STATUS_CODE, attributes.get(semconv.HTTP_STATUS_CODE))
    return value if isinstance(value, int) else None


def by_status(status: int | None) -> str | None:
    """Error class of an HTTP status, None below 400."""
    if status is None or status < 400:  # noqa: PLR2004 - HTTP's own border
        return None
    return _BY_STATUS.get(status) or ("server" if status >= 500 else "client")  # noqa: PLR2004


def by_name(name: str | None) -> str | None:
    """Error class of an exception's or error code's name, None if it tells nothing."""
    if not name:
        return None
    flat = name.rpartition(".")[2].lower().replace("_", "").replace("-", "")
    return next((found for fragment, found in _BY_NAME if fragment in flat), None)


def by_chain(exc: BaseException) -> str | None:
    """Error class of the names of *exc*'s classes, and of what it was raised from: `httpx.ReadTimeout`."""
    node: BaseException | None = exc
    for _ in range(5):
        if node is None:
            break
        found = next(filter(None, (by_name(kind.__name__) for kind in type(node).__mro__)), None)
        if found is not None:
            return found
        node = node.__cause__ or node.__context__
    return None


def error_class(context: Context, attributes: Mapping[str, object], error_type: str | None) -> str | None:
    """Error class of a failed call; None for a plain exception of the application (context `other`, a bug in a view)."""
    if context == "other":
        return None
    if context == "database":
        code = attributes.get(semconv.DB_RESPONSE_STATUS_CODE) or error_type
        return database_errors.error_class(str(code) if code else None)
    found = by_name(str(attributes.get("error.code", ""))) or by_status(status_of(attributes)) or by_name(error_type)
    if found is None and error_type and error_type.isdigit():
        found = by_status(int(error_type))
    return found or "unknown"
