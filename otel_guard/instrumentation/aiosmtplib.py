"""aiosmtplib: one span a mail; addresses never leave (instrumentation.md, section 8)."""

from collections.abc import Sized
from typing import Any, Final

from otel_guard.core import semconv, smtp_reply
from otel_guard.core.outcome import Attribute, Facts, Outcome
from otel_guard.instrumentation._engine import ASYNC, ON_ERROR, Call, Instrumentation, Target
from otel_guard.instrumentation._engine_email import DURATION, SEND, TALLIES, email_facts


def describe_mail(call: Call) -> Facts:
    """Facts of `SMTP.sendmail`: counts only, never an address or a word of the mail."""
    recipients, message = call.argument("recipients"), call.argument("message")
    known: dict[str, Attribute] = {}
    if isinstance(recipients, str):
        known[semconv.EMAIL_RECIPIENT_COUNT] = 1
    elif isinstance(recipients, Sized):
        known[semconv.EMAIL_RECIPIENT_COUNT] = len(recipients)
    if isinstance(message, str | bytes):
        known[semconv.EMAIL_MESSAGE_SIZE] = len(message)
    return _facts(call, SEND, known)


def describe_connect(call: Call) -> Facts:
    """Facts of a failed `SMTP.connect`; its STARTTLS and login are part of it."""
    return _facts(call, "connect", {})


def describe_login(call: Call) -> Facts:
    """Facts of a failed `SMTP.login`, without its arguments."""
    return _facts(call, "login", {})


def describe_starttls(call: Call) -> Facts:
    """Facts of a failed `SMTP.starttls`."""
    return _facts(call, "starttls", {})


def on_result(_call: Call, facts: Facts, value: Any) -> Outcome:
    """`sendmail` gives the recipients that were refused while others were not, and the last reply."""
    refused = value[0]
    if not refused:
        return Outcome("ok")
    sent_to = facts.attributes.get(semconv.EMAIL_RECIPIENT_COUNT, "several")
    code, text = next(iter(refused.values()))
    return smtp_reply.partial(len(refused), sent_to, code, text)


def on_error(_call: Call, _of: Facts, exc: BaseException) -> Outcome:
    """The exceptions' own texts hold addresses: only their codes are told."""
    refused = getattr(exc, "recipients", None)
    if isinstance(refused, list) and refused:
        first = refused[0]
        return smtp_reply.all_refused(len(refused), first.code, first.message)
    return smtp_reply.failed(exc, getattr(exc, "code", None), getattr(exc, "message", ""))


def _facts(call: Call, operation: str, known: dict[str, Attribute]) -> Facts:
    host = call.argument("hostname")  # the one it is to connect to; else the one it was made with
    port = call.argument("port")
    host = host if isinstance(host, str) else getattr(call.instance, "hostname", None)
    port = port if isinstance(port, int) else getattr(call.instance, "port", None)
    if isinstance(port, int):
        known[semconv.SERVER_PORT] = port
    return email_facts("smtp", operation, host, known)


def _late(name: str, describe: Any) -> Target:
    return Target(
        module="aiosmtplib.smtp", name=name, kind=ON_ERROR, describe=describe, on_error=on_error, optional=True
    )


AIOSMTPLIB: Final = Instrumentation(
    name="aiosmtplib",
    requires="aiosmtplib >= 3",
    context="email",
    system="smtp",
    targets=(
        Target(
            module="aiosmtplib.smtp",
            name="SMTP.sendmail",
            kind=ASYNC,
            describe=describe_mail,
            on_result=on_result,
            on_error=on_error,
            parameters=("recipients", "message"),
        ),
        _late("SMTP.connect", describe_connect),
        _late("SMTP.login", describe_login),
        _late("SMTP.starttls", describe_starttls),
    ),
    tallies=TALLIES,
    duration=DURATION,
    hides_http=True,
)
