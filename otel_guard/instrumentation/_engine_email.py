"""What every library that sends mail has in common: names of spans and metrics, and what is counted."""

from collections.abc import Mapping
from typing import Final

from otel_guard.core import semconv
from otel_guard.core.outcome import Attribute, Facts, Outcome
from otel_guard.instrumentation._engine_table import Tally

SEND: Final = "send"
SEND_BATCH: Final = "send_batch"
DURATION: Final = "email.client.operation.duration"


def email_facts(provider: str, operation: str, host: object, known: Mapping[str, Attribute]) -> Facts:
    """A span `send resend`; *known* is for the span alone, never an address or a word of the mail."""
    metric: dict[str, Attribute] = {
        semconv.EMAIL_PROVIDER_NAME: provider,
        semconv.EMAIL_OPERATION_NAME: operation,
    }
    if isinstance(host, str) and host:
        metric[semconv.SERVER_ADDRESS] = host
    return Facts(f"{operation} {provider}", {**metric, **known}, metric)


def rejected(refused: int, sent: int, error_type: str) -> Outcome:
    """Of *sent* mails of one call *refused* were not taken."""
    attributes: dict[str, Attribute] = {semconv.EMAIL_RECIPIENT_REJECTED_COUNT: refused}
    if refused < sent:
        message = f"{refused} of {sent} mails refused: {error_type}"
        return Outcome("partial", error_type, "rejected", attributes, message)
    return Outcome("failed", error_type, "rejected", attributes, f"all {sent} mails refused: {error_type}")


def _sent(facts: Facts, outcome: Outcome) -> int:
    operation = facts.attributes.get(semconv.EMAIL_OPERATION_NAME)
    if outcome.kind not in {"ok", "partial"} or operation not in {SEND, SEND_BATCH}:
        return 0
    if operation == SEND:
        return 1
    return max(0, _number(facts.attributes.get(semconv.EMAIL_MESSAGE_COUNT)) - _rejected(facts, outcome))


def _rejected(_of: Facts, outcome: Outcome) -> int:
    return _number(outcome.attributes.get(semconv.EMAIL_RECIPIENT_REJECTED_COUNT))


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


TALLIES: Final = (
    Tally(name="email.client.sent.messages", unit="{message}", amount=_sent),
    Tally(name="email.client.rejected.recipients", unit="{recipient}", amount=_rejected),
)
