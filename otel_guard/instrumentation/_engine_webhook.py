"""The webhooks of payment providers: their metrics, and what one request carries until its span ends."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.trace import Span

from otel_guard.core import classify, semconv
from otel_guard.core.outcome import Attribute, Facts
from otel_guard.core.webhook import UNKNOWN, WebhookEvent
from otel_guard.instrumentation._engine_metrics import BOUNDARIES
from otel_guard.instrumentation._engine_services import Services

RECEIVED: Final = "payment.webhook.received.events"
_LAGS: Final = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 10_800.0, 43_200.0, 86_400.0, 259_200.0)
_MAX_TYPES: Final = 100
_REFUSED: Final = 400  # Stripe sends it again
_OTHER: Final = "_OTHER"
_DELIVERY: Final = "_otel_guard_delivery"  # in the `__dict__` of a span


class WebhookMetrics:
    """Counts verified and rejected events, and how old they were; only the type of a verified one is a value."""

    def __init__(self, services: Services) -> None:
        self._clock = services.clock
        self._received = services.meter.create_counter(RECEIVED, unit="{event}")
        self._lag = services.meter.create_histogram(
            classify.WEBHOOK_LAG, unit="s", explicit_bucket_boundaries_advisory=_LAGS
        )
        self._duration = services.meter.create_histogram(
            classify.WEBHOOK_DURATION, unit="s", explicit_bucket_boundaries_advisory=BOUNDARIES
        )
        self._types: set[str] = set()

    def verified(self, provider: str, event: WebhookEvent | None) -> None:
        """One came; None: of which only this is known."""
        kind = {semconv.PAYMENT_WEBHOOK_EVENT_TYPE: self._capped(event.type if event is not None else UNKNOWN)}
        said = {semconv.PAYMENT_PROVIDER_NAME: provider, semconv.PAYMENT_WEBHOOK_OUTCOME: "verified"}
        self._received.add(1, {**said, **kind})
        self._observe(provider, event, "received")

    def rejected(self, provider: str) -> None:
        """One came with which no secret fits."""
        said = {semconv.PAYMENT_PROVIDER_NAME: provider, semconv.PAYMENT_WEBHOOK_OUTCOME: "rejected"}
        self._received.add(1, said)

    def handled(self, provider: str, event: WebhookEvent | None) -> None:
        """One was handled well."""
        self._observe(provider, event, "handled")

    def carried(self, provider: str, event: WebhookEvent, span: Span) -> None:
        """The request that carried *event* ends, and with it the handling."""
        attributes: Mapping[str, Any] = getattr(span, "attributes", None) or {}
        status = attributes.get(semconv.HTTP_RESPONSE_STATUS_CODE, attributes.get(semconv.HTTP_STATUS_CODE))
        failed = status if isinstance(status, int) and status >= _REFUSED else attributes.get(semconv.ERROR_TYPE)
        said = {
            semconv.PAYMENT_PROVIDER_NAME: provider,
            semconv.PAYMENT_WEBHOOK_EVENT_TYPE: self._capped(event.type),
        }
        if failed is None:
            self._observe(provider, event, "handled")
        else:
            said[semconv.ERROR_TYPE] = str(failed)
        if isinstance(started_ns := getattr(span, "start_time", None), int):
            self._duration.record(max(0.0, self._clock.now_ms() / 1000 - started_ns / 1e9), said)

    def _observe(self, provider: str, event: WebhookEvent | None, stage: str) -> None:
        if event is None or event.created is None:
            return
        lag_s = max(0.0, self._clock.now_ms() / 1000 - event.created)
        said = {
            semconv.PAYMENT_PROVIDER_NAME: provider,
            semconv.PAYMENT_WEBHOOK_EVENT_TYPE: self._capped(event.type),
            semconv.PAYMENT_WEBHOOK_STAGE: stage,
        }
        self._lag.record(lag_s, said)

    def _capped(self, kind: str) -> str:
        if kind in self._types:
            return kind
        if len(self._types) >= _MAX_TYPES:
            return _OTHER
        self._types.add(kind)
        return kind


class Delivery:
    """What is known, until its span ends, of the event that a request carries."""

    __slots__ = ("event", "failure", "has_secret", "is_handled", "is_verified", "livemode")

    def __init__(self) -> None:
        self.event: WebhookEvent | None = None
        self.failure: BaseException | None = None  # no secret fitted yet
        self.has_secret = True
        self.is_verified = False
        self.is_handled = False  # by a span of its own
        self.livemode: bool | None = None


def delivery_here() -> Delivery | None:
    """The delivery that the current span carries."""
    found = getattr(trace.get_current_span(), _DELIVERY, None)
    return found if isinstance(found, Delivery) else None


def carry(services: Services, close: Callable[[Span, Delivery], None]) -> Delivery | None:
    """The delivery of the current span, a new one if need be; *close* sees it just before the span ends.

    None: no span records here, or it is of a kind to which nothing can be tied.
    """
    if (known := delivery_here()) is not None:
        return known
    span = trace.get_current_span()
    if not span.is_recording():
        return None
    delivery, original = Delivery(), span.end

    def end(*args: Any, **kwargs: Any) -> None:
        with services.failsafe("webhook.end"):
            vars(span).pop("end", None)
            close(span, delivery)
        original(*args, **kwargs)

    try:
        vars(span).update({_DELIVERY: delivery, "end": end})
    except TypeError:  # another SDK's span, without a `__dict__`
        return None
    return delivery


def processing(provider: str, event: WebhookEvent) -> Facts:
    """Facts of the span in which *event* is handled."""
    metric: dict[str, Attribute] = {
        semconv.PAYMENT_PROVIDER_NAME: provider,
        semconv.PAYMENT_WEBHOOK_EVENT_TYPE: event.type,
    }
    own: dict[str, Attribute] = {semconv.GUARD_CONTEXT: "payment", semconv.GUARD_SYSTEM: provider}
    return Facts(f"process {event.type}", {**metric, **own, **told(event)}, metric)


def told(event: WebhookEvent) -> dict[str, Attribute]:
    """What a span says of *event* beside its type."""
    found = {semconv.PAYMENT_WEBHOOK_EVENT_ID: event.id, semconv.PAYMENT_WEBHOOK_EVENT_CREATED: event.created}
    return {key: value for key, value in found.items() if value is not None}
