import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from otel_guard.core.record import ErrorRecord, Head
from otel_guard.sinks.sentry_event import event_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOON_MS = int(NOON.timestamp() * 1000)
ID = f"{NOON_MS:012x}"[:8] + "-" + f"{NOON_MS:012x}"[8:] + "-7000-8000-000000000001"
HEAD = Head(
    version=1,
    writer_id=ID,
    number=1,
    service="shop",
    environment="staging",
    release="1.2",
    host="web-1",
)
STACK = """Traceback (most recent call last):
  File "/srv/shop/app/pay.py", line 7, in pay
    client.charge(hush)
  File "/venv/lib/python3.11/site-packages/stripe/_api.py", line 99, in request
    raise error
stripe.CardError: raw text
"""
RECORD = ErrorRecord(
    id=ID,
    seq=1,
    error_type="stripe.CardError",
    message="no hush here",
    context="payment",
    severity="high",
    fingerprint="0123456789abcdef",
    title="stripe.CardError: no",
    parts=("stripe.CardError",),
    error_class="declined",
    user_id="u-1",
    metadata={
        "order": "hush 17",
        "trail": [[0, "database", "SELECT hush", 40, "ok"], [50, "payment", "create", 50, "failed"]],
    },
    stack_trace=STACK,
    handled=False,
    system="stripe",
    operation="create payment_intent",
    route="/pay",
    trace_id="a" * 32,
    span_id="b" * 16,
)


class Hushing:
    """A redactor that knows one secret."""

    def text(self, text: str, /) -> str:
        return text.replace("hush", "[redacted:hush]")

    def mapping(self, values: Mapping[str, object], /) -> dict[str, object]:
        return {key: self.text(value) if isinstance(value, str) else value for key, value in values.items()}


def built(**fields: Any) -> dict[str, Any]:
    return event_of(replace(RECORD, **fields), HEAD, Hushing(), "/srv/shop")


def test_an_event_says_what_the_record_says() -> None:
    assert built() == {
        "event_id": ID.replace("-", ""),
        "timestamp": NOON,
        "platform": "python",
        "level": "error",
        "server_name": "web-1",
        "tags": {
            "context": "payment",
            "severity": "high",
            "service": "shop",
            "fingerprint": "0123456789abcdef",
            "system": "stripe",
        },
        "exception": {
            "values": [
                {
                    "type": "CardError",
                    "module": "stripe",
                    "value": "no [redacted:hush] here",
                    "mechanism": {"type": "otel_guard", "handled": False},
                    "stacktrace": {
                        "frames": [
                            {
                                "filename": "app/pay.py",
                                "abs_path": "/srv/shop/app/pay.py",
                                "function": "pay",
                                "lineno": 7,
                                "in_app": True,
                                "module": "app.pay",
                                "context_line": "client.charge([redacted:hush])",
                            },
                            {
                                "filename": "stripe/_api.py",
                                "abs_path": "/venv/lib/python3.11/site-packages/stripe/_api.py",
                                "function": "request",
                                "lineno": 99,
                                "in_app": False,
                                "module": "stripe._api",
                                "context_line": "raise error",
                            },
                        ]
                    },
                }
            ]
        },
        "contexts": {
            "otel_guard": {"record_id": ID, "operation": "create payment_intent", "error_class": "declined"},
            "trace": {"trace_id": "a" * 32, "span_id": "b" * 16},
        },
        "extra": {"order": "[redacted:hush] 17"},
        "breadcrumbs": {
            "values": [
                {
                    "type": "default",
                    "category": "database",
                    "message": "SELECT [redacted:hush]",
                    "level": "info",
                    "timestamp": (NOON_MS - 100) / 1000,
                    "data": {"duration_ms": 40, "outcome": "ok"},
                },
                {
                    "type": "default",
                    "category": "payment",
                    "message": "create",
                    "level": "error",
                    "timestamp": (NOON_MS - 50) / 1000,
                    "data": {"duration_ms": 50, "outcome": "failed"},
                },
            ]
        },
        "transaction": "/pay",
        "user": {"id": "u-1"},
    }


def test_a_failure_without_a_stack_has_its_type_and_message() -> None:
    event = built(stack_trace=None, error_type="42P01", message="relation is missing", handled=None)

    assert event["exception"]["values"] == [
        {"type": "42P01", "value": "relation is missing", "mechanism": {"type": "otel_guard"}}
    ]


def test_a_chain_keeps_its_order_and_the_records_own_type_is_last() -> None:
    text = 'Traceback (most recent call last):\n  File "/srv/shop/a.py", line 1, in a\nKeyError: 1\n\n'
    text += "During handling of the above exception, another exception occurred:\n\n" + STACK

    values = built(stack_trace=text)["exception"]["values"]

    assert [value["type"] for value in values] == ["KeyError", "CardError"]
    assert values[0]["mechanism"] == {"type": "chained", "source": "__context__"}


def test_the_members_of_a_group_stand_before_the_group() -> None:
    try:
        raise ExceptionGroup("both", [ValueError("one"), KeyError("two")])  # noqa: TRY301
    except ExceptionGroup as error:
        text = "".join(traceback.format_exception(error))

    values = built(stack_trace=text, error_type="ExceptionGroup")["exception"]["values"]

    assert [value["type"] for value in values] == ["ValueError", "KeyError", "ExceptionGroup"]
    assert values[0]["mechanism"]["source"] == "exceptions"


@pytest.mark.parametrize(
    ("severity", "level"), [("low", "info"), ("medium", "warning"), ("high", "error"), ("critical", "fatal")]
)
def test_the_level_follows_the_severity(severity: str, level: str) -> None:
    assert built(severity=severity)["level"] == level


@pytest.mark.parametrize("trail", [None, "text", [1, "x", []], [{"name": "n"}]])
def test_a_trail_of_another_shape_breaks_nothing(trail: object) -> None:
    built(metadata={"trail": trail})
