"""`webhook`: the handling of a payment provider's events, whoever the provider is."""

from collections.abc import Callable
from typing import Any, Final

from opentelemetry.trace import SpanKind

from otel_guard.core import classify, semconv, webhook
from otel_guard.core.outcome import Attribute, Facts
from otel_guard.instrumentation._engine import SYNC, Block, Book, Call, Engine, Instrumentation, Run, Target

TABLE: Final = Instrumentation(
    name="webhook",
    requires="",
    context="payment",
    span_kind=SpanKind.CONSUMER,
    duration=classify.WEBHOOK_DURATION,
    may_nest=True,
)


def webhooks(
    engine: Callable[[], Engine | None],
    provider: str,
    event: object = None,
    *,
    type: str | None = None,  # noqa: A002 - the contract's names
    id: str | None = None,  # noqa: A002
    created: object = None,
) -> Block:
    """A CONSUMER span `process {type}` of each handling; without an engine (not configured yet) nothing."""
    books: dict[int, Book] = {}

    def begin(arguments: tuple[Any, ...]) -> Run | None:
        watched = engine()
        if watched is None:
            return None
        if id_of(watched) not in books:
            books.clear()
            books[id_of(watched)] = watched.book(TABLE)
        given = event if event is not None or not arguments else arguments[0]
        read = webhook.read(given, type_=type, id_=id, created=created)
        return watched.begin(books[id_of(watched)], _target(provider, read), Call(None, (), {}, ()))

    return Block(begin)


id_of: Final = id  # the keyword `id` hides it


def _target(provider: str, event: webhook.WebhookEvent) -> Target:
    metric: dict[str, Attribute] = {
        semconv.PAYMENT_PROVIDER_NAME: provider,
        semconv.PAYMENT_WEBHOOK_EVENT_TYPE: event.type,
    }
    attributes = {**metric, semconv.GUARD_CONTEXT: "payment", semconv.GUARD_SYSTEM: provider}
    if event.id is not None:
        attributes[semconv.PAYMENT_WEBHOOK_EVENT_ID] = event.id
    if event.created is not None:
        attributes[semconv.PAYMENT_WEBHOOK_EVENT_CREATED] = event.created
    facts = Facts(f"process {event.type}", attributes, metric)
    return Target(module="", name="process", kind=SYNC, describe=lambda _call: facts)
