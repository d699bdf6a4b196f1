"""`webhook`: the handling of a payment provider's events, whoever the provider is."""

from collections.abc import Callable
from typing import Any, Final

from opentelemetry.trace import SpanKind

from otel_guard.core import classify, webhook
from otel_guard.core.outcome import Facts, Outcome
from otel_guard.instrumentation._engine import SYNC, Block, Book, Call, Engine, Instrumentation, Run, Target
from otel_guard.instrumentation._engine_webhook import WebhookMetrics, delivery_here, processing

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
    made: dict[int, tuple[Book, WebhookMetrics]] = {}

    def begin(arguments: tuple[Any, ...]) -> Run | None:
        watched = engine()
        if watched is None:
            return None
        if id_of(watched) not in made:
            made.clear()
            made[id_of(watched)] = (watched.book(TABLE), WebhookMetrics(watched.services))
        book, metrics = made[id_of(watched)]
        given = event if event is not None or not arguments else arguments[0]
        read = webhook.read(given, type_=type, id_=id, created=created)
        return watched.begin(book, _target(provider, read, metrics), Call(None, (), {}, ()))

    return Block(begin)


id_of: Final = id  # the keyword `id` hides it


def _target(provider: str, event: webhook.WebhookEvent, metrics: WebhookMetrics) -> Target:
    def describe(_call: Call) -> Facts:
        delivery = delivery_here()
        if delivery is not None:
            delivery.is_handled = True
        if delivery is None or delivery.event is None or delivery.event.id != event.id or not delivery.is_verified:
            metrics.verified(provider, event)
        return processing(provider, event)

    def handled(_call: Call, _of: Facts, _value: Any) -> Outcome:
        metrics.handled(provider, event)
        return Outcome("ok")

    return Target(module="", name="process", kind=SYNC, describe=describe, on_result=handled)
