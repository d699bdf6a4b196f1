"""smtplib: one span a mail; addresses never leave (instrumentation.md, section 8)."""

import re
from collections.abc import Sized
from contextlib import suppress
from typing import Any, Final

from otel_guard.core import semconv
from otel_guard.core.outcome import Attribute, Facts, Outcome
from otel_guard.instrumentation._engine import ON_ERROR, SYNC, Call, Instrumentation, Tally, Target

REFUSED: Final = "recipients_refused"
_ENHANCED: Final = re.compile(r"\s*(\d\.\d{1,3}\.\d{1,3})\b")
# By the first digits of a reply (RFC 5321, 3463): most telling first.
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
    ("SMTPAuthenticationError", "auth"),
    ("SMTPNotSupportedError", "config"),
    ("SMTPServerDisconnected", "connection"),
    ("SMTPConnectError", "connection"),
    ("SMTPException", "unknown"),
    ("OSError", "connection"),
)
_CONTENT_CODE: Final = 554


def describe_mail(call: Call) -> Facts:
    """Facts of `SMTP.sendmail`: counts only, never an address or a word of the mail."""
    facts = _facts(call, "send")
    recipients, message = call.argument("to_addrs"), call.argument("msg")
    known: dict[str, Attribute] = {}
    if isinstance(recipients, str):
        known[semconv.EMAIL_RECIPIENT_COUNT] = 1
    elif isinstance(recipients, Sized):
        known[semconv.EMAIL_RECIPIENT_COUNT] = len(recipients)
    if isinstance(message, str | bytes):
        known[semconv.EMAIL_MESSAGE_SIZE] = len(message)
    return Facts(facts.name, {**facts.attributes, **known}, facts.metric_attributes)


def describe_connect(call: Call) -> Facts:
    """Facts of a failed `SMTP.connect`, which knows its server only by its arguments."""
    facts = _facts(call, "connect")
    host = call.argument("host") or facts.attributes.get(semconv.SERVER_ADDRESS) or "localhost"
    port = call.argument("port") or getattr(call.instance, "default_port", 25)
    where: dict[str, Attribute] = {semconv.SERVER_ADDRESS: str(host), semconv.SERVER_PORT: int(port)}
    return Facts(facts.name, {**facts.attributes, **where}, facts.metric_attributes)


def describe_login(call: Call) -> Facts:
    """Facts of a failed `SMTP.login`, without its arguments."""
    return _facts(call, "login")


def describe_starttls(call: Call) -> Facts:
    """Facts of a failed `SMTP.starttls`."""
    return _facts(call, "starttls")


def on_result(_call: Call, facts: Facts, refused: Any) -> Outcome:
    """`sendmail` gives the recipients that were refused while others were not."""
    if not refused:
        return Outcome("ok")
    code, text = next(iter(refused.values()))
    attributes = {**_reply(code, text), semconv.EMAIL_RECIPIENT_REJECTED_COUNT: len(refused)}
    sent_to = facts.attributes.get(semconv.EMAIL_RECIPIENT_COUNT, "several")
    message = f"{len(refused)} of {sent_to} recipients refused: {_named(code, text)}"
    return Outcome("partial", REFUSED, "rejected", attributes, message)


def on_error(_call: Call, _of: Facts, exc: BaseException) -> Outcome:
    """The exceptions' own texts hold addresses: only their codes are told."""
    refused = getattr(exc, "recipients", None)
    if isinstance(refused, dict) and refused:
        code, text = next(iter(refused.values()))
        attributes = {**_reply(code, text), semconv.EMAIL_RECIPIENT_REJECTED_COUNT: len(refused)}
        message = f"all {len(refused)} recipients refused: {_named(code, text)}"
        return Outcome("failed", REFUSED, _by_code(code) or "rejected", attributes, message)
    name = type(exc).__name__
    code, text = getattr(exc, "smtp_code", None), getattr(exc, "smtp_error", b"")
    if isinstance(code, int) and code > 0:
        return Outcome("failed", name, _error_class(exc, code), _reply(code, text), f"{name}: {_named(code, text)}")
    return Outcome("failed", name, _error_class(exc, None), {}, f"{name}: {_reason(exc)}")


def _facts(call: Call, operation: str) -> Facts:
    metric: dict[str, Attribute] = {
        semconv.EMAIL_PROVIDER_NAME: "smtp",
        semconv.EMAIL_OPERATION_NAME: operation,
    }
    host = getattr(call.instance, "_host", None)
    if isinstance(host, str) and host:
        metric[semconv.SERVER_ADDRESS] = host
    known: dict[str, Attribute] = {}
    with suppress(OSError, AttributeError, IndexError, TypeError):  # not connected, or no network address
        known[semconv.SERVER_PORT] = int(call.instance.sock.getpeername()[1])
    return Facts(f"{operation} smtp", {**metric, **known}, metric)


def _reply(code: int, text: Any) -> dict[str, Attribute]:
    attributes: dict[str, Attribute] = {semconv.SMTP_STATUS_CODE: int(code)}
    if (enhanced := _enhanced(text)) is not None:
        attributes[semconv.SMTP_ENHANCED_STATUS_CODE] = enhanced
    return attributes


def _enhanced(text: Any) -> str | None:
    shown = text.decode("ascii", "replace") if isinstance(text, bytes) else str(text)
    found = _ENHANCED.match(shown)
    return found.group(1) if found else None


def _named(code: int, text: Any) -> str:
    enhanced = _enhanced(text)
    return f"{code} {enhanced}" if enhanced else str(code)


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
    """The words of an operating system's error; smtplib's own hold no address without a code."""
    strerror = getattr(exc, "strerror", None)
    if isinstance(strerror, str):
        return strerror
    return str(exc) if not any("@" in str(part) for part in exc.args) else "see its type"


def _sent(facts: Facts, outcome: Outcome) -> int:
    is_sent = outcome.kind in {"ok", "partial"} and facts.attributes.get(semconv.EMAIL_OPERATION_NAME) == "send"
    return 1 if is_sent else 0


def _rejected(_of: Facts, outcome: Outcome) -> int:
    count = outcome.attributes.get(semconv.EMAIL_RECIPIENT_REJECTED_COUNT, 0)
    return count if isinstance(count, int) else 0


def _late(name: str, describe: Any) -> Target:
    return Target(module="smtplib", name=name, kind=ON_ERROR, describe=describe, on_error=on_error, optional=True)


SMTPLIB: Final = Instrumentation(
    name="smtplib",
    requires="python >= 3.11",
    context="email",
    system="smtp",
    targets=(
        Target(
            module="smtplib",
            name="SMTP.sendmail",
            kind=SYNC,
            describe=describe_mail,
            on_result=on_result,
            on_error=on_error,
            parameters=("to_addrs", "msg"),
        ),
        _late("SMTP.connect", describe_connect),
        _late("SMTP.login", describe_login),
        _late("SMTP.starttls", describe_starttls),
    ),
    tallies=(
        Tally(name="email.client.sent.messages", unit="{message}", amount=_sent),
        Tally(name="email.client.rejected.recipients", unit="{recipient}", amount=_rejected),
    ),
    duration="email.client.operation.duration",
    hides_http=True,
)
