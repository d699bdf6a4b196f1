"""SES: what its requests and answers tell of mails, never an address or a word of them."""

from collections.abc import Mapping
from typing import Any, Final

from otel_guard.core import semconv
from otel_guard.core.outcome import Attribute, Outcome
from otel_guard.instrumentation._engine_email import SEND, SEND_BATCH, rejected

PROVIDER: Final = "aws.ses"
SERVICES: Final = frozenset({"ses", "sesv2"})
_BATCHES: Final = {"SendBulkEmail": "BulkEmailEntries", "SendBulkTemplatedEmail": "Destinations"}
_RESULTS: Final = ("BulkEmailEntryResults", "Status")
_FIELDS: Final = ("ToAddresses", "CcAddresses", "BccAddresses")


def operation_of(service: str, operation: str) -> str | None:
    """`send` or `send_batch`; None for calls that send nothing."""
    if service not in SERVICES or not operation.startswith("Send"):
        return None
    return SEND_BATCH if operation in _BATCHES else SEND


def counted(operation: str, params: Mapping[str, Any]) -> dict[str, Attribute]:
    """What a request tells."""
    known: dict[str, Attribute] = {}
    if (entries := _BATCHES.get(operation)) is not None:
        known[semconv.EMAIL_MESSAGE_COUNT] = len(params.get(entries) or ())
    elif isinstance(to := params.get("Destination"), Mapping):
        known[semconv.EMAIL_RECIPIENT_COUNT] = sum(len(to.get(field) or ()) for field in _FIELDS)
    elif isinstance(to := params.get("Destinations"), list):
        known[semconv.EMAIL_RECIPIENT_COUNT] = len(to)
    content = params.get("Content") or params.get("DefaultContent")
    template = content.get("Template") if isinstance(content, Mapping) else params.get("Template")
    template = template.get("TemplateName") if isinstance(template, Mapping) else template
    if isinstance(template, str):
        known[semconv.EMAIL_TEMPLATE_ID] = template
    return known


def answered(result: Mapping[str, Any]) -> Outcome:
    """What an answer tells; a bulk one has a status for each mail."""
    entries = next((found for name in _RESULTS if isinstance(found := result.get(name), list)), [])
    refused = [str(entry.get("Status")) for entry in entries if str(entry.get("Status")).upper() != "SUCCESS"]
    if refused:
        return rejected(len(refused), len(entries), refused[0])
    message_id = result.get("MessageId")
    return Outcome("ok", attributes={semconv.EMAIL_MESSAGE_ID: message_id} if isinstance(message_id, str) else {})
