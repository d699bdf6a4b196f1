from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from otel_guard.core.delivery import Delivered
from otel_guard.core.record import CallStats, Drops, Repeat, SlowCall, StatRow

NOON = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_a_record_is_a_row_with_every_column(store: Any) -> None:
    cause = store.id(99)
    full = store.error(
        1,
        error_class="declined",
        user_id="u1",
        handled=False,
        caused_by=cause,
        system="stripe",
        operation="charge",
        route="/pay",
        trace_id="a" * 32,
        span_id="b" * 16,
        sentry_event_id="c" * 32,
    )

    assert store.sink().deliver(store.batch(full)) == Delivered()

    (row,) = store.query("SELECT * FROM otel_guard.system_errors")
    assert str(row.pop("id")) == store.id(1)
    assert str(row.pop("caused_by")) == cause
    assert str(row.pop("writer_id")) == "018bcfe5-6800-7000-8000-0000000000aa"
    del row["received_at"]
    assert row == {
        "created_at": NOON,
        "error_type": "ValueError",
        "message": "order 1 not found",
        "context": "api",
        "severity": "medium",
        "user_id": "u1",
        "metadata": {"number": 1},
        "stack_trace": "Traceback",
        "repeat_count": 1,
        "handled": False,
        "seq": 1,
        "fingerprint": "f" * 16,
        "error_class": "declined",
        "sentry_event_id": "c" * 32,
        "system": "stripe",
        "operation": "charge",
        "service": "shop",
        "environment": "test",
        "release": "r1",
        "host": "web-1",
        "route": "/pay",
        "trace_id": "a" * 32,
        "span_id": "b" * 16,
    }


def test_a_batch_delivered_again_changes_nothing(store: Any) -> None:
    repeat = Repeat(
        id=store.id(50), seq=50, n=30, error_type="E", message="m", context="api", severity="high", fingerprint="f" * 16,
        title="E", parts=(),
    )  # fmt: skip
    line = StatRow(
        minute=1_700_000_040, name="calls", context="api", system="", operation="", route="", n=2, errors=1, sum=0.5, max=0.4,
        buckets=(1, 1),
    )  # fmt: skip
    records = (
        store.error(1),
        store.error(2),
        repeat,
        store.amendment(1, severity="high", metadata={"more": 1}),
        SlowCall(
            id=store.id(60), type="database_query", value=812.5, duration_ms=812.5, query_text="SELECT 1", metadata={}
        ),
        CallStats(id=store.id(70), rows=(line, line)),
        Drops(id=store.id(80), reason="quota", kind="slow", n=3, seqs=(4, 6), first_at_ms=1, last_at_ms=2),
    )
    sink = store.sink()
    tables = (
        "system_errors", "system_metrics", "error_groups", "error_hours", "metric_minutes", "record_drops", "applied_frames",
    )  # fmt: skip

    def stored() -> list[object]:
        return [store.query(f"SELECT * FROM otel_guard.{table} AS t ORDER BY t::text") for table in tables]

    first = sink.deliver(store.batch(*records)), stored()
    second = sink.deliver(store.batch(*records)), stored()

    assert first == second
    assert first[0] == Delivered()
    assert store.query("SELECT occurrences, severity FROM otel_guard.error_groups") == [
        {"occurrences": 32, "severity": "high"}
    ]
    assert store.query("SELECT hour, n FROM otel_guard.error_hours") == [
        {"hour": NOON.replace(minute=0, second=0), "n": 32}
    ]
    assert store.query("SELECT n, errors, sum, max, buckets FROM otel_guard.metric_minutes") == [
        {"n": 4, "errors": 2, "sum": 1.0, "max": 0.4, "buckets": [2, 2]}
    ]
    assert store.query("SELECT reason, n, seqs FROM otel_guard.record_drops") == [
        {"reason": "quota", "n": 3, "seqs": [4, 6]}
    ]


def test_buckets_of_unequal_length_are_added_up(store: Any) -> None:
    def frame(number: int, *buckets: int) -> CallStats:
        row = StatRow(
            minute=60,
            name="c",
            context="api",
            system="",
            operation="",
            route="",
            n=1,
            errors=0,
            sum=1,
            max=1,
            buckets=buckets,
        )
        return CallStats(id=store.id(number), rows=(row,))

    sink = store.sink()
    sink.deliver(store.batch(frame(1, 1), frame(2, 0, 1)))
    sink.deliver(store.batch(frame(3, 0, 0, 1), frame(4)))

    assert store.query("SELECT n, buckets FROM otel_guard.metric_minutes") == [{"n": 4, "buckets": [1, 1, 1]}]


def test_two_writers_of_the_same_records_at_once_count_each_once(store: Any) -> None:
    groups = [f"{number:016x}" for number in range(20)]
    batches = [
        [store.error(number, fingerprint=groups[number % 20]) for number in range(start, start + 250)]
        + [
            store.amendment(number, fingerprint=groups[number % 20], severity="high")
            for number in range(start, start + 250, 3)
        ]
        for start in (0, 125, 250, 375)
    ]

    def deliver(shift: int) -> list[object]:
        sink = store.sink()
        pending = [batches[(index + shift) % 4] for index in range(4)]
        outcomes: list[object] = []
        while pending:
            outcomes.append(outcome := sink.deliver(store.batch(*pending[0])))
            if outcome == Delivered():
                pending.pop(0)
        return outcomes

    with ThreadPoolExecutor(4) as pool:
        outcomes = [outcome for list_of in pool.map(deliver, range(4)) for outcome in list_of]

    assert outcomes.count(Delivered()) == 16
    assert store.query("SELECT count(*) AS n FROM otel_guard.system_errors") == [{"n": 625}]
    assert store.query("SELECT sum(occurrences)::int AS n, count(*) AS groups FROM otel_guard.error_groups") == [
        {"n": 625, "groups": 20}
    ]
    assert store.query("SELECT sum(n)::int AS n FROM otel_guard.error_hours") == [{"n": 625}]


@pytest.mark.parametrize(
    ("resolved_at", "state"), [("2023-11-14 22:00:00+00", "open"), ("2023-11-14 23:00:00+00", "resolved")]
)
def test_only_a_row_newer_than_its_solution_opens_a_resolved_group(store: Any, resolved_at: str, state: str) -> None:
    sink = store.sink()
    sink.deliver(store.batch(store.error(1)))
    store.query("UPDATE otel_guard.error_groups SET state = 'resolved', resolved_at = %s", resolved_at)

    sink.deliver(store.batch(store.error(2)))

    (group,) = store.query("SELECT state, regressed_at, occurrences FROM otel_guard.error_groups")
    assert group == {"state": state, "regressed_at": NOON if state == "open" else None, "occurrences": 2}


def test_a_group_has_the_facts_of_its_first_and_last_row(store: Any) -> None:
    sink = store.sink()
    later = store.error(2, id=store.id(2, 1_700_000_060_000), severity="critical", title="later")
    sink.deliver(store.batch(later, store.error(1)))

    (group,) = store.query("SELECT * FROM otel_guard.error_groups")
    assert (group["title"], group["severity"], group["state"]) == ("ValueError: order", "critical", "open")
    assert (group["first_seen_at"], group["last_seen_at"]) == (NOON, NOON.replace(minute=14))
    assert (group["first_release"], group["last_release"], group["parts"]) == ("r1", "r1", ["ValueError", "shop:pay"])
