from collections.abc import Callable, Iterator
from typing import Any

import pytest

from otel_guard.monitor.retention import tidying
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


def tidy(lane: Lane, kept: Retention | None = None) -> int:
    """What one cycle deletes."""
    deleted = 0
    for _name, step in tidying(kept or Retention()):
        with lane.transaction() as database:
            deleted += step(database)
    return deleted


def test_the_oldest_go_first_and_5000_at_a_time(lane: Lane, query: Query) -> None:
    old = "SELECT 'E', n::text, 'other', 'low', timestamptz '2026-01-01' + n * interval '1 minute' "
    query(f"{ERROR} {old} FROM generate_series(1, 5010) AS n")
    query(f"{ERROR} VALUES ('E', 'new', 'other', 'low', now())")

    assert tidy(lane) == 5000
    left = [row["message"] for row in query("SELECT message FROM otel_guard.system_errors ORDER BY created_at")]
    assert left == [*(str(n) for n in range(5001, 5011)), "new"]
    assert [tidy(lane) for _ in range(2)] == [10, 0]


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
    assert tidy(lane) == 0

    query(f"DELETE FROM otel_guard.{table}")
    query(f"INSERT INTO otel_guard.{table} " + row.format(at=f"{at} - interval '1 hour'"))
    assert tidy(lane) == 1


def test_a_job_that_has_not_beaten_for_a_year_is_still_watched(lane: Lane, query: Query) -> None:
    query(
        "INSERT INTO otel_guard.heartbeats (name, instance, kind, at) VALUES ('invoices', 'web:production', 'job', "
        "now() - interval '1 year')"
    )

    assert tidy(lane) == 0


def test_the_oldest_slow_calls_go_first_whatever_their_type(lane: Lane, query: Query) -> None:
    query(
        "INSERT INTO otel_guard.system_metrics (type, value, created_at) "
        "SELECT (ARRAY['ai_call', 'database_query', 'n_plus_one'])[1 + n % 3], n, timestamptz '2026-01-01' + n * interval '1 minute' "
        "FROM generate_series(1, 5004) AS n"
    )

    assert tidy(lane) == 5000
    left = query("SELECT value::int AS n FROM otel_guard.system_metrics ORDER BY created_at")
    assert [row["n"] for row in left] == [5001, 5002, 5003, 5004]


def test_the_settings_say_how_long(lane: Lane, query: Query) -> None:
    query(f"{ERROR} VALUES ('E', 'two days', 'other', 'low', now() - interval '2 days')")

    assert (tidy(lane, Retention(errors_days=3)), tidy(lane, Retention(errors_days=1))) == (0, 1)
