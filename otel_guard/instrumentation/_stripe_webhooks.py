"""Stripe's webhooks: who sent them is checked, what they say is on the request's span, and their handling is one."""

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from importlib import import_module
from typing import Any, Final

from msgspec import structs
from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanKind

from otel_guard.core import classify, semconv, webhook
from otel_guard.core.outcome import Attribute, Facts, Outcome
from otel_guard.core.webhook import UNKNOWN, WebhookEvent
from otel_guard.instrumentation._engine import (
    ASYNC,
    SYNC,
    Adopt,
    Book,
    Call,
    Instrumentation,
    Services,
    Target,
    find,
    unwrap,
    wrap,
)
from otel_guard.instrumentation._engine_kinds import Wrapper, wrapper
from otel_guard.instrumentation._engine_metrics import Metrics
from otel_guard.instrumentation._engine_patch import Patch
from otel_guard.instrumentation._engine_webhook import Delivery, WebhookMetrics, carry, delivery_here, processing, told
from otel_guard.runtime.suppression import is_sending

STRIPE: Final = "stripe"
_VERIFY: Final = "verify webhook"
_MODULE: Final = "stripe._webhook"
_CLIENT: Final = "stripe._stripe_client"
_HANDLERS: Final = "stripe._event_notification_handler"
_SECRET: Final = 2  # its place among the arguments of `verify_header`
_DISPATCHERS: Final = (
    ("_SyncEventNotificationHandler._dispatch", SYNC),
    ("_AsyncEventNotificationHandler._dispatch_async", ASYNC),
)
_PARSERS: Final = (
    (_MODULE, "Webhook.construct_event"),
    (_MODULE, "Webhook.construct_event_without_verification"),
    (_CLIENT, "StripeClient.construct_event"),
    (_CLIENT, "StripeClient.construct_event_without_verification"),
    (_CLIENT, "StripeClient.parse_event_notification"),
    (_CLIENT, "StripeClient.parse_event_notification_without_verification"),
    (_CLIENT, "StripeClient.parse_thin_event"),
)
_parsing: Final[ContextVar[bool]] = ContextVar("otel_guard_stripe_parsing", default=False)


class Webhooks:
    """Hooks of one installation."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._metrics = WebhookMetrics(services)

    def patches(self, module: str) -> Iterator[Patch]:
        """Wrap what there is in *module*."""
        wrappers: list[tuple[str, str, Wrapper]] = [(_MODULE, "WebhookSignature.verify_header", self._verify)]
        wrappers += [(holder, name, self._parse) for holder, name in _PARSERS]
        for holder, name, ours in wrappers:
            if holder == module and (place := find(import_module(module), name)) is not None:
                yield wrap(place, ours)
        if module == _HANDLERS:
            yield from self._handlers()

    def _handlers(self) -> Iterator[Patch]:
        book = Book(HANDLING, self._services, Metrics(self._services.meter))
        for name, kind in _DISPATCHERS:
            if (place := find(import_module(_HANDLERS), name, ("event_notif",))) is not None:
                target = Target(module=_HANDLERS, name=name, kind=kind, describe=_handling, on_result=self._on_handled)
                yield wrap(place, wrapper(book, target, place.original))

    def _verify(self, wrapped: Callable[..., Any], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if is_sending():
            return wrapped(*args, **kwargs)
        try:
            value = wrapped(*args, **kwargs)
        except Exception as raised:
            with self._services.failsafe("stripe.webhook"):
                self._failed(raised, has_secret=_has_secret(args, kwargs))
            raise
        with self._services.failsafe("stripe.webhook"):
            delivery = carry(self._services, self._close)
            if delivery is not None:
                delivery.is_verified, delivery.failure = True, None
            if not _parsing.get():
                self._metrics.verified(STRIPE, None)
        return value

    def _parse(self, wrapped: Callable[..., Any], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if is_sending() or _parsing.get():
            return wrapped(*args, **kwargs)
        token = _parsing.set(True)
        try:
            event = wrapped(*args, **kwargs)
        finally:
            _parsing.reset(token)
        with self._services.failsafe("stripe.webhook"):
            self._parsed(event, is_verified="without_verification" not in getattr(wrapped, "__name__", ""))
        return event

    def _parsed(self, event: Any, *, is_verified: bool) -> None:
        read, delivery = webhook.read(event), carry(self._services, self._close)
        if is_verified:
            self._metrics.verified(STRIPE, read)
        if delivery is not None:
            delivery.is_verified = delivery.is_verified or is_verified
            delivery.event, delivery.is_handled = read, False
            livemode = getattr(event, "livemode", None)
            delivery.livemode = livemode if isinstance(livemode, bool) else None

    def _failed(self, raised: Exception, *, has_secret: bool) -> None:
        delivery = carry(self._services, self._close)
        if delivery is None:
            self._reject(raised, has_secret=has_secret)
        elif not delivery.is_verified:
            delivery.failure, delivery.has_secret = raised, has_secret

    def _close(self, span: Span, delivery: Delivery) -> None:
        """The request ends: what it carried is now known."""
        attributes: dict[str, Attribute] = {
            semconv.PAYMENT_PROVIDER_NAME: STRIPE,
            semconv.PAYMENT_WEBHOOK_VERIFIED: delivery.is_verified,
        }
        if delivery.livemode is not None:
            attributes[semconv.STRIPE_LIVEMODE] = delivery.livemode
        if (event := delivery.event) is not None:
            attributes |= _said(event, is_told=delivery.is_verified and not delivery.is_handled)
            if delivery.is_verified and not delivery.is_handled:
                self._metrics.carried(STRIPE, event, span)
        span.set_attributes(attributes)
        if delivery.failure is not None:
            token = context.attach(trace.set_span_in_context(span))
            try:
                self._reject(delivery.failure, has_secret=delivery.has_secret)
            finally:
                context.detach(token)

    def _reject(self, raised: BaseException, *, has_secret: bool) -> None:
        """A record of its own, not a failed call: Stripe is well."""
        self._metrics.rejected(STRIPE)
        attributes: dict[str, Attribute] = {semconv.PAYMENT_WEBHOOK_VERIFIED: False}
        if not has_secret:
            attributes[semconv.GUARD_SEVERITY] = "high"
        outcome = Outcome("failed", type(raised).__name__, "signature", attributes)
        self._services.handover(trace.INVALID_SPAN, raised, outcome, _REJECTED)

    def _on_handled(self, call: Call, _facts: Facts, _value: Any) -> Outcome:
        self._metrics.handled(STRIPE, _event(call))
        return Outcome("ok")


def adopt(module: str) -> Callable[[Services], Callable[[], None]]:
    """Hook what there is of webhooks in *module*."""

    def adopted(services: Services) -> Callable[[], None]:
        patches = list(Webhooks(services).patches(module))

        def undo() -> None:
            while patches:
                unwrap(patches.pop())

        return undo

    return adopted


def _handling(call: Call) -> Facts:
    event, delivery = _event(call), delivery_here()
    if delivery is not None:
        delivery.is_handled = True
    return processing(STRIPE, event)


def _event(call: Call) -> WebhookEvent:
    """The event that is handled; of one that nobody verified only a type that the application registered is told."""
    event, delivery = webhook.read(call.argument("event_notif")), delivery_here()
    is_verified = "WithoutVerification" not in type(call.instance).__name__
    if is_verified or (delivery is not None and delivery.is_verified):
        return event
    is_registered = event.type in call.instance.registered_event_types
    return structs.replace(event, type=event.type if is_registered else UNKNOWN, created=None)


def _said(event: WebhookEvent, *, is_told: bool) -> dict[str, Attribute]:
    """Its id; the rest only where the request's span is the one that tells of it: the rows of webhooks come of it."""
    found = told(event)
    if not is_told:
        found.pop(semconv.PAYMENT_WEBHOOK_EVENT_CREATED, None)
        return found
    return {**found, semconv.PAYMENT_WEBHOOK_EVENT_TYPE: event.type}


def _has_secret(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    secret = args[_SECRET] if len(args) > _SECRET else kwargs.get("secret")
    return isinstance(secret, str) and bool(secret.strip())


_REJECTED: Final = Facts(
    _VERIFY,
    {semconv.GUARD_CONTEXT: "payment", semconv.GUARD_SYSTEM: STRIPE, semconv.PAYMENT_PROVIDER_NAME: STRIPE},
    {},
)
HANDLING: Final = Instrumentation(
    name="stripe webhooks",  # a call of Stripe's API below is one of its own
    requires="",
    context="payment",
    span_kind=SpanKind.CONSUMER,
    duration=classify.WEBHOOK_DURATION,
    may_nest=True,
)
TARGETS: Final = tuple(
    Adopt(module=module, adopt=adopt(module), optional=True) for module in (_MODULE, _CLIENT, _HANDLERS)
)
