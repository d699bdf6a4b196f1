from collections.abc import Callable, Iterator
from typing import Any

import pytest

from otel_guard.monitor.retention import tidy
from otel_guard.runtime.clock import SYSTEM
from otel_guard.settings.tree import Retention
from otel_guard.store.lane import Lane

Query = Callable[..., list[dict[str, Any]]]
ERROR = "INSERT INTO otel_guard.system_errors (error_type, message, context, severity, created_at) "


@pytest.fixture
def lane(dsn: str) -> Iterator[Lane]:
    lane = Lane(dsn, SYSTEM)
    yield lane
    lane.close()


def test_the_oldest_go_first_and_5000_at_a_time(lane: Lane, query: Query) -> None:
    old = "SELECT 'E', n::text, 'other', 'low', timestamptz '2026-01-01' + n * interval '1 minute' "
    query(f"{ERROR} {old} FROM generate_series(1, 5010) AS n")
    query(f"{ERROR} VALUES ('E', 'new', 'other', 'low', now())")

    assert tidy(lane.transaction, Retention()) == 5000
    left = [row["message"] for row in query("SELECT message FROM otel_guard.system_errors ORDER BY created_at")]
    assert left == [*(str(n) for n in range(5001, 5011)), "new"]
    assert [tidy(lane.transaction, Retention()) for _ in range(2)] == [10, 0]


@pytest.mark.parametrize(
    ("table", "row", "days"),
    [
        ("system_metrics", "(type, value, created_at) VALUES ('database_query', 1, {at})", 14),
        (
            "metric_minutes",
            "(minute, name, service, environment, context, system, operation, route) VALUES ({at}, 'n', 's', 'e', 'c', 's', 'o', 'r')",
            35,
        ),
        ("error_hours", "(hour, service, environment, fingerprint) VALUES ({at}, 's', 'e', 'f')", 395),
        ("applied_frames", "(id, at) VALUES (gen_random_uuid(), {at})", 2),
        ("dependency_status", "(name, instance, status, checked_at) VALUES ('n', 'i', 'healthy', {at})", 1),
        ("dependency_changes", "(name, instance, status, at) VALUES ('n', 'i', 'healthy', {at})", 91),
        ("heartbeats", "(name, instance, kind, at) VALUES ('web', 'i', 'process', {at})", 1),
        ("record_drops", "(id, reason, kind, n, last_at) VALUES (gen_random_uuid(), 'quota', 'error', 1, {at})", 91),
    ],
)
def test_each_table_keeps_its_days(lane: Lane, query: Query, table: str, row: str, days: int) -> None:
    at = f"now() - interval '{days} days'"
    query(f"INSERT INTO otel_guard.{table} " + row.format(at=f"{at} + interval '1 hour'"))
    assert tidy(lane.transaction, Retention()) == 0

    query(f"DELETE FROM otel_guard.{table}")
    query(f"INSERT INTO otel_guard.{table} " + row.format(at=f"{at} - interval '1 hour'"))
    assert tidy(lane.transaction, Retention()) == 1


def test_a_job_that_has_not_beaten_for_a_year_is_still_watched(lane: Lane, query: Query) -> None:
    query(
        "INSERT INTO otel_guard.heartbeats (name, instance, kind, at) VALUES ('invoices', 'web:production', 'job', "
        "now() - interval '1 year')"
    )

    assert tidy(lane.transaction, Retention()) == 0
