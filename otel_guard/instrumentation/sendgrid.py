"""SendGrid: one span a request to send; addresses never leave (instrumentation.md, section 8)."""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from otel_guard.core import semconv
from otel_guard.core.error_class import by_chain, by_status
from otel_guard.core.outcome import Attribute, Facts, Outcome
from otel_guard.instrumentation._engine import SYNC, Call, Instrumentation, Target
from otel_guard.instrumentation._engine_email import DURATION, SEND, TALLIES, email_facts

_PATH: Final = "/mail/send"
_READ_BYTES: Final = 256 * 1024  # of a larger body (attachments) only the size is told
_WORDS: Final = (
    (b"Maximum credits exceeded", "quota"),
    (b"does not match a verified Sender", "config"),
    (b"does not contain a valid address", "rejected"),
)


def describe(call: Call) -> Facts | None:
    """Facts of `Client._make_request`, if it sends mail: counts only, never an address or a word of it."""
    request = call.argument("request")
    address = urlsplit(request.full_url)
    if not address.path.endswith(_PATH):
        return None
    known: dict[str, Attribute] = {semconv.HTTP_REQUEST_METHOD: "POST"}
    if address.port is not None:
        known[semconv.SERVER_PORT] = address.port
    if isinstance(request.data, bytes):
        known[semconv.EMAIL_MESSAGE_SIZE] = len(request.data)
        known |= _counted(request.data)
    return email_facts("sendgrid", SEND, address.hostname, known)


def on_result(_call: Call, _of: Facts, response: Any) -> Outcome:
    """The answer's head; its body is the application's to read."""
    return Outcome("ok", attributes=_answered(response.getcode(), response.headers))


def on_error(_call: Call, _of: Facts, exc: BaseException) -> Outcome:
    """The exceptions' own bodies hold addresses: only their types and codes are told."""
    name, status = type(exc).__name__, getattr(exc, "status_code", None)
    if not isinstance(status, int):
        reason = getattr(exc, "reason", None)  # urllib's URLError
        cause = reason if isinstance(reason, BaseException) else exc
        return Outcome(
            "failed", type(cause).__name__, by_chain(cause) or "connection", {}, f"no answer: {_said(cause)}"
        )
    body = getattr(exc, "body", None)
    body = body if isinstance(body, bytes) else b""
    found = next((found for words, found in _WORDS if words.lower() in body.lower()), None)
    attributes = _answered(status, getattr(exc, "headers", None))
    return Outcome("failed", name, found or by_status(status) or "unknown", attributes, f"{name}: HTTP {status}")


def _counted(body: bytes) -> dict[str, Attribute]:
    if len(body) > _READ_BYTES:
        return {}
    mail = msgspec.json.decode(body)
    known: dict[str, Attribute] = {}
    if not isinstance(mail, Mapping):
        return known
    known[semconv.EMAIL_RECIPIENT_COUNT] = sum(1 for _ in _recipients(mail))
    if isinstance(attachments := mail.get("attachments"), list):
        known[semconv.EMAIL_ATTACHMENT_COUNT] = len(attachments)
    if isinstance(template := mail.get("template_id"), str):
        known[semconv.EMAIL_TEMPLATE_ID] = template
    return known


def _recipients(mail: Mapping[str, Any]) -> Iterator[object]:
    for person in mail.get("personalizations") or ():
        for field in ("to", "cc", "bcc"):
            yield from person.get(field) or ()


def _answered(status: int, headers: Any) -> dict[str, Attribute]:
    found: dict[str, Attribute] = {semconv.HTTP_RESPONSE_STATUS_CODE: status}
    wanted = (
        ("X-Message-Id", semconv.EMAIL_MESSAGE_ID),
        ("Retry-After", semconv.HTTP_RESPONSE_HEADER_RETRY_AFTER),
    )
    for name, key in wanted:
        value = headers.get(name) if headers is not None else None
        if isinstance(value, str):
            found[key] = value
    return found


def _said(exc: BaseException) -> str:
    strerror = getattr(exc, "strerror", None)
    return f"{type(exc).__name__}: {strerror}" if isinstance(strerror, str) else type(exc).__name__


SENDGRID: Final = Instrumentation(
    name="sendgrid",
    requires="sendgrid >= 6",
    context="email",
    system="sendgrid",
    targets=(
        Target(
            module="python_http_client.client",
            name="Client._make_request",
            kind=SYNC,
            describe=describe,
            on_result=on_result,
            on_error=on_error,
            parameters=("request",),
        ),
    ),
    tallies=TALLIES,
    duration=DURATION,
    hides_http=True,
)
