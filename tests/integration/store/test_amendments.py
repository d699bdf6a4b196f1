from typing import Any

import pytest

from otel_guard.core.delivery import Delivered

Fields = dict[str, object]

EMPTY = {"stack_trace": None, "metadata": {"a": 1, "b": 1}}


@pytest.mark.parametrize(
    ("row", "amendments", "expected"),
    [
        ({"severity": "medium"}, [{"severity": "high"}], {"severity": "high"}),
        ({"severity": "high"}, [{"severity": "low"}], {"severity": "high"}),
        ({"severity": "high"}, [{"severity": "low", "final": True}], {"severity": "low"}),
        ({"severity": "high"}, [{"severity": "critical"}, {"severity": "low", "final": True}], {"severity": "low"}),
        ({"severity": "low"}, [{"severity": "high"}, {"severity": "medium"}], {"severity": "high"}),
        ({}, [{"context": "payment", "final": True}], {"context": "payment", "severity": "medium"}),
        ({}, [{"context": "payment"}], {"context": "api"}),
        ({"user_id": "u1"}, [{"user_id": "u2", "route": "/a"}, {"route": "/b"}], {"user_id": "u1", "route": "/a"}),
        ({}, [{"sentry_event_id": "s"}], {"sentry_event_id": "s"}),
        ({}, [{"handled": True}], {"handled": True}),
        ({"handled": True}, [{"handled": False}, {"handled": True}], {"handled": False}),
        (EMPTY, [{"metadata": {"b": 2}}, {"metadata": {"c": 3}}], {"metadata": {"a": 1, "b": 2, "c": 3}}),
        (
            EMPTY,
            [
                {"error_type": "HTTPError", "message": "500", "stack_trace": "T1"},
                {"error_type": "Other", "stack_trace": "T2"},
            ],
            {"error_type": "HTTPError", "message": "500", "stack_trace": "T1"},
        ),
        (
            {"stack_trace": "T0"},
            [{"error_type": "HTTPError", "message": "500", "stack_trace": "T1"}],
            {"error_type": "ValueError", "message": "order 1 not found", "stack_trace": "T0"},
        ),
    ],
)
@pytest.mark.parametrize("apart", [False, True])
def test_amendments_say_what_came_late(
    store: Any, row: Fields, amendments: list[Fields], expected: Fields, apart: bool
) -> None:
    sink = store.sink()
    records = [store.error(1, **row), *(store.amendment(1, **fields) for fields in amendments)]
    batches = [[record] for record in records] if apart else [records]
    for _ in range(2):  # the second time as after a lost cursor
        for records_of_batch in batches:
            assert sink.deliver(store.batch(*records_of_batch)) == Delivered()

    (stored,) = store.query("SELECT * FROM otel_guard.system_errors")
    assert {key: stored[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"severity": "high"}, {"severity": "high", "context": "api"}),
        ({"severity": "low"}, {"severity": "medium", "context": "api"}),
        ({"severity": "low", "context": "payment", "final": True}, {"severity": "low", "context": "payment"}),
    ],
)
def test_severity_and_context_go_to_the_group_too(store: Any, fields: Fields, expected: Fields) -> None:
    store.sink().deliver(store.batch(store.error(1), store.amendment(1, **fields)))

    assert store.query("SELECT severity, context FROM otel_guard.error_groups") == [expected]


def test_an_amendment_before_its_row_waits_in_memory(store: Any) -> None:
    sink = store.sink()
    assert sink.deliver(store.batch(store.amendment(1, severity="high"))) == Delivered()
    assert sink.deliver(store.batch(store.amendment(1, route="/pay"))) == Delivered()
    assert sink.late == 1

    store.sink().deliver(store.batch(store.error(1)))
    store.clock.sleep(6)
    sink.tend()

    assert sink.late == 0
    assert store.query("SELECT severity, route FROM otel_guard.system_errors") == [
        {"severity": "high", "route": "/pay"}
    ]


def test_an_amendment_whose_row_never_comes_is_counted_after_ten_minutes(store: Any) -> None:
    sink = store.sink()
    sink.deliver(store.batch(store.amendment(1, severity="high"), store.amendment(2)))
    store.clock.sleep(601)
    sink.tend()
    sink.tend()

    assert sink.late == 0
    assert store.query("SELECT reason, kind, n FROM otel_guard.record_drops") == [
        {"reason": "no_row", "kind": "amendment", "n": 2}
    ]


def test_no_more_than_a_thousand_amendments_wait(store: Any) -> None:
    sink = store.sink()
    for start in (0, 400, 800):
        sink.deliver(store.batch(*(store.amendment(number) for number in range(start, start + 400))))
    sink.deliver(store.batch(store.error(1)))

    assert sink.late == 1000
    assert store.query("SELECT n FROM otel_guard.record_drops") == [{"n": 200}]
