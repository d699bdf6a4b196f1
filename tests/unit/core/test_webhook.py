from datetime import UTC, datetime

import msgspec
import pytest

from otel_guard.core import classify, webhook
from otel_guard.core.classify import Call
from otel_guard.core.webhook import WebhookEvent


class Event:
    type = "invoice.paid"
    id = "evt_1"
    created = 1_795_469_400


class Broken:
    @property
    def type(self) -> str:
        raise ValueError("no type")


@pytest.mark.parametrize(
    ("event", "read"),
    [
        (Event(), WebhookEvent(type="invoice.paid", id="evt_1", created=1_795_469_400.0)),
        ({"type": "refund", "id": "7"}, WebhookEvent(type="refund", id="7", created=None)),
        (None, WebhookEvent(type="unknown", id=None, created=None)),
        (Broken(), WebhookEvent(type="unknown", id=None, created=None)),
        ({"type": 7, "id": b"x", "created": True}, WebhookEvent(type="unknown", id=None, created=None)),
    ],
)
def test_an_event_is_read_by_attribute_or_key_and_never_raises(event: object, read: WebhookEvent) -> None:
    assert webhook.read(event) == read


def test_what_is_given_goes_before_the_event() -> None:
    assert webhook.read(Event(), type_="charge", id_="evt_2", created=1_000) == WebhookEvent(
        type="charge", id="evt_2", created=1_000.0
    )


@pytest.mark.parametrize(
    ("created", "seconds"),
    [
        (1_795_469_400, 1_795_469_400.0),
        ("2026-11-23T21:30:00Z", 1_795_469_400.0),
        ("2026-11-23T21:30:00.000+00:00", 1_795_469_400.0),
        (datetime(2026, 11, 23, 21, 30, tzinfo=UTC), 1_795_469_400.0),
        ("yesterday", None),
        (-5, None),
        (1_795_469_400_000, None),
        (None, None),
    ],
)
def test_created_may_be_a_number_a_text_or_a_datetime(created: object, seconds: float | None) -> None:
    assert webhook.seconds(created) == seconds


def call(**changed: object) -> Call:
    base = Call(
        kind="CONSUMER",
        context="payment",
        system="stripe",
        operation="process invoice.paid",
        outcome="failed",
        error_class=None,
        duration_ms=80.0,
        ended_ms=1_795_469_402_000,
        route=None,
        name=classify.WEBHOOK_DURATION,
    )
    return msgspec.structs.replace(base, **changed)


SAID: dict[str, object] = {
    "payment.webhook.event.type": "invoice.paid",
    "payment.provider.name": "stripe",
    "payment.webhook.event.created": 1_795_469_400,
}


def test_a_handled_event_also_counts_its_lag() -> None:
    handled = call()

    assert classify.webhook_calls(handled, SAID) == (call(name=classify.WEBHOOK_LAG, duration_ms=2000.0, outcome="ok"),)


def test_a_request_that_carries_an_event_counts_as_its_handling() -> None:
    request = call(kind="SERVER", context="api", system="http", route="/hooks", name="http.server.request.duration")

    assert [(one.name, one.duration_ms, one.route) for one in classify.webhook_calls(request, SAID)] == [
        (classify.WEBHOOK_DURATION, 80.0, None),
        (classify.WEBHOOK_LAG, 2000.0, None),
    ]
    assert classify.webhook_calls(request, {}) == ()
