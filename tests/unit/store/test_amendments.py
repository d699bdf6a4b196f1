import pytest

from otel_guard.core.record import Amendment
from otel_guard.store.amendments import GROUP_COLUMNS, by_key, change_of, group_columns


def amendment(number: int = 1, **fields: object) -> Amendment:
    values: dict[str, object] = {
        "id": f"id-{number}", "fingerprint": "f", "title": "t", "of_context": "api", "of_severity": "low",
    }  # fmt: skip
    return Amendment(**(values | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("first", "later", "expected"),
    [
        ({"severity": "low"}, {"severity": "high"}, {"severity": "high", "is_severity_final": False}),
        ({"severity": "high"}, {"severity": "low"}, {"severity": "high", "is_severity_final": False}),
        ({"severity": "high"}, {}, {"severity": "high", "is_severity_final": False}),
        ({"severity": "high"}, {"severity": "low", "final": True}, {"severity": "low", "is_severity_final": True}),
        ({"severity": "low", "final": True}, {"severity": "critical"}, {"severity": "low", "is_severity_final": True}),
        (
            {"context": "ai", "final": True},
            {"severity": "high"},
            {"context": "ai", "severity": "high", "is_severity_final": False},
        ),
        ({"context": "ai"}, {}, {"context": None}),
        ({"handled": True}, {"handled": False}, {"handled": False}),
        ({"handled": False}, {"handled": True}, {"handled": False}),
        ({"user_id": "a"}, {"user_id": "b", "route": "/"}, {"user_id": "a", "route": "/"}),
        ({"metadata": {"a": 1, "b": 1}}, {"metadata": {"b": 2}}, {"metadata": {"a": 1, "b": 2}}),
        ({"metadata": {"a": 1}}, {}, {"metadata": {"a": 1}}),
        (
            {"error_type": "A", "message": "a", "stack_trace": "s"},
            {"error_type": "B", "message": "b", "stack_trace": "t"},
            {"error_type": "A", "message": "a", "stack_trace": "s"},
        ),
        (
            {"error_type": "A", "message": "a"},
            {"error_type": "B", "stack_trace": "t"},
            {"error_type": "B", "message": "a", "stack_trace": "t"},
        ),
    ],
)
def test_two_amendments_of_a_row_come_to_one(
    first: dict[str, object], later: dict[str, object], expected: dict[str, object]
) -> None:
    changes = [change_of(amendment(1, **fields)) for fields in (first, later)]
    (one,) = by_key(changes, lambda change: change.id).values()

    assert {name: getattr(one, name) for name in expected} == expected


def test_a_group_takes_severity_and_context_of_all_its_rows() -> None:
    changes = [
        change_of(amendment(1, severity="high")),
        change_of(amendment(2, route="/")),
        change_of(amendment(3, severity="critical")),
        change_of(amendment(4, fingerprint="g", context="ai", final=True)),
    ]

    rows = list(zip(*(group_columns(changes)[name] for name in GROUP_COLUMNS), strict=True))

    assert rows == [("f", "critical", False, None), ("g", None, False, "ai")]
