"""smtplib: one span a mail; addresses never leave (instrumentation.md, section 8)."""

from collections.abc import Sized
from contextlib import suppress
from typing import Any, Final

from otel_guard.core import semconv, smtp_reply
from otel_guard.core.outcome import Attribute, Facts, Outcome
from otel_guard.instrumentation._engine import ON_ERROR, SYNC, Call, Instrumentation, Target
from otel_guard.instrumentation._engine_email import DURATION, SEND, TALLIES, email_facts


def describe_mail(call: Call) -> Facts:
    """Facts of `SMTP.sendmail`: counts only, never an address or a word of the mail."""
    recipients, message = call.argument("to_addrs"), call.argument("msg")
    known: dict[str, Attribute] = {}
    if isinstance(recipients, str):
        known[semconv.EMAIL_RECIPIENT_COUNT] = 1
    elif isinstance(recipients, Sized):
        known[semconv.EMAIL_RECIPIENT_COUNT] = len(recipients)
    if isinstance(message, str | bytes):
        known[semconv.EMAIL_MESSAGE_SIZE] = len(message)
    return _facts(call, SEND, known)


def describe_connect(call: Call) -> Facts:
    """Facts of a failed `SMTP.connect`, which knows its server only by its arguments."""
    facts = _facts(call, "connect", {})
    host = call.argument("host") or facts.attributes.get(semconv.SERVER_ADDRESS) or "localhost"
    port = call.argument("port") or getattr(call.instance, "default_port", 25)
    where: dict[str, Attribute] = {semconv.SERVER_ADDRESS: str(host), semconv.SERVER_PORT: int(port)}
    return Facts(facts.name, {**facts.attributes, **where}, facts.metric_attributes)


def describe_login(call: Call) -> Facts:
    """Facts of a failed `SMTP.login`, without its arguments."""
    return _facts(call, "login", {})


def describe_starttls(call: Call) -> Facts:
    """Facts of a failed `SMTP.starttls`."""
    return _facts(call, "starttls", {})


def on_result(_call: Call, facts: Facts, refused: Any) -> Outcome:
    """`sendmail` gives the recipients that were refused while others were not."""
    if not refused:
        return Outcome("ok")
    sent_to = facts.attributes.get(semconv.EMAIL_RECIPIENT_COUNT, "several")
    return smtp_reply.partial(len(refused), sent_to, *next(iter(refused.values())))


def on_error(_call: Call, _of: Facts, exc: BaseException) -> Outcome:
    """The exceptions' own texts hold addresses: only their codes are told."""
    refused = getattr(exc, "recipients", None)
    if isinstance(refused, dict) and refused:
        return smtp_reply.all_refused(len(refused), *next(iter(refused.values())))
    return smtp_reply.failed(exc, getattr(exc, "smtp_code", None), getattr(exc, "smtp_error", b""))


def _facts(call: Call, operation: str, known: dict[str, Attribute]) -> Facts:
    with suppress(OSError, AttributeError, IndexError, TypeError):  # not connected, or no network address
        known[semconv.SERVER_PORT] = int(call.instance.sock.getpeername()[1])
    return email_facts("smtp", operation, getattr(call.instance, "_host", None), known)


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
    tallies=TALLIES,
    duration=DURATION,
    hides_http=True,
)
