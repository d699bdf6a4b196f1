from typing import Any

import pytest
from msgspec.structs import replace

from otel_guard.core.record import Amendment, ErrorRecord
from otel_guard.sinks.sentry_merge import merge

ID = "019b7a5c-ee00-7000-8000-000000000001"
RECORD = ErrorRecord(
    id=ID,
    seq=1,
    error_type="card_declined",
    message="declined",
    context="payment",
    severity="medium",
    fingerprint="f" * 16,
    title="card_declined: declined",
    parts=("card_declined",),
    metadata={"a": 1, "b": 1},
)


def change(**fields: Any) -> Amendment:
    return Amendment(id=ID, fingerprint="f" * 16, title="t", of_context="payment", of_severity="medium", **fields)


@pytest.mark.parametrize(
    ("record", "changes", "expected"),
    [
        ({}, [], {}),
        ({}, [{"severity": "high"}], {"severity": "high"}),
        ({"severity": "high"}, [{"severity": "low"}], {"severity": "high"}),
        ({"severity": "high"}, [{"severity": "low", "final": True}], {"severity": "low"}),
        ({}, [{"severity": "low", "final": True}, {"severity": "critical"}], {"severity": "low"}),
        ({}, [{"context": "email", "final": True}], {"context": "email"}),
        ({}, [{"handled": False}, {"handled": True}], {"handled": False}),
        ({}, [{"user_id": "u1", "route": "/a"}], {"user_id": "u1", "route": "/a"}),
        ({"user_id": "u0", "route": "/"}, [{"user_id": "u1", "route": "/a"}], {"user_id": "u0", "route": "/"}),
        ({}, [{"metadata": {"b": 2}}, {"metadata": {"c": 3}}], {"metadata": {"a": 1, "b": 2, "c": 3}}),
        ({}, [{"sentry_event_id": "e"}], {"sentry_event_id": "e"}),
        ({"reportable": False}, [{"reportable": True}], {"reportable": True}),
        ({"reportable": True}, [{"reportable": False}], {"reportable": True}),
        (
            {},
            [{"error_type": "HTTPError", "message": "500", "stack_trace": "Traceback"}],
            {"error_type": "HTTPError", "message": "500", "stack_trace": "Traceback"},
        ),
        ({"stack_trace": "first"}, [{"error_type": "X", "stack_trace": "second"}], {"stack_trace": "first"}),
        ({}, [{"error_type": "X", "message": "no stack"}], {}),
    ],
)
def test_amendments_follow_the_rules_of_the_row_and_are_safe_twice(
    record: dict[str, Any], changes: list[dict[str, Any]], expected: dict[str, Any]
) -> None:
    first = replace(RECORD, **record)
    amendments = [change(**fields) for fields in changes]

    merged = merge(first, amendments)

    assert merged == replace(first, **expected)
    assert merge(merged, [one for one in amendments if not one.severity]) == merged
