"""Resend: one span a mail, a batch or a broadcast; addresses never leave (instrumentation.md, section 8)."""

import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from otel_guard.core import semconv
from otel_guard.core.error_class import by_chain, by_status
from otel_guard.core.outcome import Attribute, Facts, Outcome
from otel_guard.instrumentation._engine import ASYNC, SYNC, Call, Instrumentation, Kind, Target
from otel_guard.instrumentation._engine_email import DURATION, SEND, SEND_BATCH, TALLIES, email_facts, rejected

_MAIL: Final = "/emails"
_BATCH: Final = "/emails/batch"
_BROADCAST: Final = re.compile(r"/broadcasts/[^/]+/send")
_NO_ANSWER: Final = "HttpClientError"  # its status 500 is invented
_REFUSED: Final = "validation_error"
_BY_TYPE: Final = {
    "missing_api_key": "auth",
    "invalid_api_key": "auth",
    "restricted_api_key": "auth",
    "daily_quota_exceeded": "quota",
    "monthly_quota_exceeded": "quota",
    "rate_limit_exceeded": "rate_limit",
    "invalid_from_address": "config",
    "invalid_region": "config",
    "security_error": "content",
    "asyncclientnotconfigured": "config",
}
_FORBIDDEN: Final = 403


def describe(call: Call) -> Facts | None:
    """Facts of `Request.perform`, if it sends mail: counts only, never an address or a word of it."""
    request = call.instance
    path = request.path.partition("?")[0]
    if request.verb != "post" or not (path in {_MAIL, _BATCH} or _BROADCAST.fullmatch(path)):
        return None
    mails = request.params if isinstance(request.params, list) else [request.params]
    known: dict[str, Attribute] = {semconv.HTTP_REQUEST_METHOD: "POST"}
    if path == _MAIL:
        known |= _counted(mails[0])
    if path == _BATCH:
        known[semconv.EMAIL_MESSAGE_COUNT] = len(mails)
    address = urlsplit(getattr(sys.modules.get("resend"), "api_url", None) or "https://api.resend.com")
    if address.port is not None:
        known[semconv.SERVER_PORT] = address.port
    return email_facts("resend", SEND if path == _MAIL else SEND_BATCH, address.hostname, known)


def on_result(call: Call, facts: Facts, value: Any) -> Outcome:
    """A permissive batch answers which of its mails it did not take."""
    answer = value if isinstance(value, Mapping) else {}
    refused, sent = answer.get("errors"), facts.attributes.get(semconv.EMAIL_MESSAGE_COUNT)
    if isinstance(refused, list) and refused and isinstance(sent, int):
        return rejected(len(refused), sent, _REFUSED)
    attributes = _answered(call)
    if isinstance(message_id := answer.get("id"), str):
        attributes[semconv.EMAIL_MESSAGE_ID] = message_id
    return Outcome("ok", attributes=attributes)


def on_error(call: Call, _of: Facts, exc: BaseException) -> Outcome:
    """The exceptions' own texts hold addresses: only their types and codes are told."""
    kind = getattr(exc, "error_type", None)
    if kind == _NO_ANSWER or not isinstance(kind, str):
        cause = _cause(exc)
        error_type = type(cause).__name__
        return Outcome("failed", error_type, by_chain(cause) or "connection", {}, f"no answer: {error_type}")
    attributes, status = _answered(call), _status(exc)
    if status is not None:
        attributes[semconv.HTTP_RESPONSE_STATUS_CODE] = status
    message = f"{type(exc).__name__}: {kind}" + (f" (HTTP {status})" if status is not None else "")
    return Outcome("failed", kind, _error_class(kind, status), attributes, message)


def _counted(mail: Any) -> dict[str, Attribute]:
    if not isinstance(mail, Mapping):
        return {}
    to = sum(_length(mail.get(field)) for field in ("to", "cc", "bcc"))
    known: dict[str, Attribute] = {semconv.EMAIL_RECIPIENT_COUNT: to}
    if attachments := _length(mail.get("attachments")):
        known[semconv.EMAIL_ATTACHMENT_COUNT] = attachments
    template = mail.get("template")
    if isinstance(template, Mapping) and isinstance(template.get("id"), str):
        known[semconv.EMAIL_TEMPLATE_ID] = template["id"]
    return known


def _length(value: Any) -> int:
    if not value:
        return 0
    return 1 if isinstance(value, str | Mapping) or not isinstance(value, Iterable) else len(list(value))


def _answered(call: Call) -> dict[str, Attribute]:
    """What the answer's head tells; older versions keep none."""
    found: dict[str, Attribute] = {}
    status = getattr(call.instance, "_response_status_code", None)
    if isinstance(status, int):
        found[semconv.HTTP_RESPONSE_STATUS_CODE] = status
    headers = getattr(call.instance, "_response_headers", None) or {}
    after = next((value for name, value in headers.items() if name.lower() == "retry-after"), None)
    if isinstance(after, str):
        found[semconv.HTTP_RESPONSE_HEADER_RETRY_AFTER] = after
    return found


def _status(exc: BaseException) -> int | None:
    code = str(getattr(exc, "code", ""))
    return int(code) if code.isdigit() else None


def _error_class(kind: str, status: int | None) -> str:
    if (found := _BY_TYPE.get(kind.lower())) is not None:
        return found
    if status == _FORBIDDEN:  # validation_error: the sender's domain is not verified
        return "config"
    return by_status(status) or "unknown"


def _cause(exc: BaseException) -> BaseException:
    """The HTTP client's exception, below those that only repeat its words."""
    for _ in range(3):
        below = exc.__cause__ or exc.__context__
        if below is None or type(exc).__name__ not in {"ResendError", "RuntimeError"}:
            return exc
        exc = below
    return exc


def _target(module: str, name: str, kind: Kind, *, optional: bool = False) -> Target:
    return Target(
        module=module,
        name=f"{name}.perform",
        kind=kind,
        describe=describe,
        on_result=on_result,
        on_error=on_error,
        optional=optional,
    )


RESEND: Final = Instrumentation(
    name="resend",
    requires="resend >= 2",
    context="email",
    system="resend",
    targets=(
        _target("resend.request", "Request", SYNC),
        _target("resend.async_request", "AsyncRequest", ASYNC, optional=True),
    ),
    tallies=TALLIES,
    duration=DURATION,
    hides_http=True,
)
