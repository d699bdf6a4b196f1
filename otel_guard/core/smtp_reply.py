"""What a mail server's reply says: its class and its codes, never its words, which hold addresses (RFC 5321, 3463)."""

import re
from typing import Any, Final

from otel_guard.core import semconv
from otel_guard.core.outcome import Attribute, Outcome

REFUSED: Final = "recipients_refused"
_ENHANCED: Final = re.compile(r"\s*(\d\.\d{1,3}\.\d{1,3})\b")
# By the first digits of a reply: most telling first.
_BY_CODE: Final = (
    ("421", "connection"),
    ("53", "auth"),
    ("454", "auth"),
    ("452", "quota"),
    ("552", "quota"),
    ("55", "rejected"),
    ("45", "server"),
    ("50", "client"),
)
_BY_CLASS: Final = (
    ("TimeoutError", "timeout"),
    ("SMTPTimeoutError", "timeout"),
    ("SMTPAuthenticationError", "auth"),
    ("SMTPNotSupportedError", "config"),
    ("SMTPNotSupported", "config"),
    ("SMTPServerDisconnected", "connection"),
    ("SMTPConnectError", "connection"),
    ("SMTPException", "unknown"),
    ("OSError", "connection"),
)
_CONTENT_CODE: Final = 554


def attributes(code: int, text: Any) -> dict[str, Attribute]:
    """The codes of a reply as attributes."""
    found: dict[str, Attribute] = {semconv.SMTP_STATUS_CODE: int(code)}
    if (enhanced := _enhanced(text)) is not None:
        found[semconv.SMTP_ENHANCED_STATUS_CODE] = enhanced
    return found


def named(code: int, text: Any) -> str:
    """`550 5.1.1`."""
    enhanced = _enhanced(text)
    return f"{code} {enhanced}" if enhanced else str(code)


def partial(refused: int, sent_to: object, code: int, text: Any) -> Outcome:
    """Some recipients were refused; *code* and *text* are the first one's."""
    counted = {**attributes(code, text), semconv.EMAIL_RECIPIENT_REJECTED_COUNT: refused}
    message = f"{refused} of {sent_to} recipients refused: {named(code, text)}"
    return Outcome("partial", REFUSED, "rejected", counted, message)


def all_refused(refused: int, code: int, text: Any) -> Outcome:
    """All recipients were refused; *code* and *text* are the first one's."""
    counted = {**attributes(code, text), semconv.EMAIL_RECIPIENT_REJECTED_COUNT: refused}
    message = f"all {refused} recipients refused: {named(code, text)}"
    return Outcome("failed", REFUSED, _by_code(code) or "rejected", counted, message)


def failed(exc: BaseException, code: object, text: Any) -> Outcome:
    """The mail was not sent; *code* is the reply's, if there was one."""
    name = type(exc).__name__
    if isinstance(code, int) and code > 0:
        message = f"{name}: {named(code, text)}"
        return Outcome("failed", name, _error_class(exc, code), attributes(code, text), message)
    return Outcome("failed", name, _error_class(exc, None), {}, f"{name}: {_reason(exc)}")


def _enhanced(text: Any) -> str | None:
    shown = text.decode("ascii", "replace") if isinstance(text, bytes) else str(text)
    found = _ENHANCED.match(shown)
    return found.group(1) if found else None


def _by_code(code: int) -> str | None:
    return next((found for start, found in _BY_CODE if str(code).startswith(start)), None)


def _error_class(exc: BaseException, code: int | None) -> str:
    names = [kind.__name__ for kind in type(exc).__mro__]
    if code == _CONTENT_CODE and "SMTPDataError" in names:
        return "content"
    if "SMTPSenderRefused" in names and code is not None and _by_code(code) == "rejected":
        return "config"  # the provider does not accept this sender
    if code is not None and (found := _by_code(code)) is not None:
        return found
    return next((found for name, found in _BY_CLASS if name in names), "unknown")


def _reason(exc: BaseException) -> str:
    """The words of an operating system's error; those of mail libraries hold no address without a code."""
    strerror = getattr(exc, "strerror", None)
    if isinstance(strerror, str):
        return strerror
    return str(exc) if not any("@" in str(part) for part in exc.args) else "see its type"
