"""The weekly report on a real Postgres: when it is made, and what stands in it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from otel_guard.core.week import until_now, week_named
from otel_guard.monitor.report import build, due_report, find
from otel_guard.runtime.clock import SYSTEM
from otel_guard.store.reports import Questions
from tests.integration.numbers.world import NEXT, World

Query = Callable[..., list[dict[str, Any]]]
Database = psycopg.Connection[Any]
WEEK_H = 7 * 24.0


def report(database: Database, now: datetime = NEXT, **limits: float) -> dict[str, Any]:
    week = week_named("2026-W47", UTC)
    assert week is not None
    ask = Questions(database, SYSTEM, **({"each_ms": 5000, "all_s": 30.0} | limits))  # type: ignore[arg-type]
    return build(database, ask, until_now(week, now), now, UTC)


def test_it_is_made_once_on_monday_at_eight(world: World, database: Database, query: Query) -> None:
    world.minute(5, n=10)
    early = due_report(database, NEXT - timedelta(minutes=1), UTC)
    made = due_report(database, NEXT, UTC)
    again = due_report(database, NEXT + timedelta(seconds=15), UTC)
    database.commit()

    assert (early, made, again) == (None, "2026-W47", None)
    assert [row["week"] for row in query("SELECT week FROM otel_guard.reports")] == ["2026-W47"]


@pytest.mark.parametrize("days", [1, 6.5])
def test_a_monitor_that_was_off_makes_it_later(world: World, database: Database, days: float) -> None:
    world.minute(5, n=10)

    assert due_report(database, NEXT + timedelta(days=days), UTC) == "2026-W47"


def test_of_a_week_before_everything_there_is_none(world: World, database: Database) -> None:
    assert due_report(database, NEXT, UTC) is None
    world.minute(WEEK_H + 1, n=10)
    assert due_report(database, NEXT, UTC) is None


def test_of_two_monitors_one_makes_it(world: World, dsn: str) -> None:
    world.minute(5, n=10)
    with psycopg.connect(dsn) as first, psycopg.connect(dsn) as second:
        made = due_report(first, NEXT, UTC)
        other = due_report(second, NEXT, UTC)
        first.commit()
        later = due_report(second, NEXT, UTC)

    assert (made, other, later) == ("2026-W47", None, None)


def test_the_stored_one_is_found_as_it_was(world: World, database: Database) -> None:
    world.errors("a", 5, n=7, user="17")
    world.group("a", 5)
    due_report(database, NEXT, UTC)
    world.errors("a", 6, n=100)
    week = week_named("2026-W47", UTC)

    assert week is not None
    found = find(database, week)
    assert found is not None
    assert found["errors"]["n"] == 7


def test_what_another_release_wrote_is_counted_anew(world: World, database: Database) -> None:
    world.insert("reports", week="2026-W47", body={"version": 0})
    week = week_named("2026-W47", UTC)

    assert week is not None
    assert find(database, week) is None


def test_errors_rate_and_users_stand_against_last_week_and_the_median(world: World, database: Database) -> None:
    world.group("a", -4 * WEEK_H)
    for weeks, n, users in ((0, 12, 3), (1, 10, 2), (2, 30, 1), (3, 20, 1), (4, 10, 1)):
        for user in range(users):
            world.errors("a", 10 - weeks * WEEK_H, n=n // users, user=f"u{user}")
        world.minute(10 - weeks * WEEK_H, n=1000, errors=n)

    errors = report(database)["errors"]
    assert (errors["n"], errors["rate"], errors["users"]) == (12, 0.012, 3)
    assert errors["last_week"] == {"n": 10, "rate": 0.01, "users": 2}
    assert errors["median"] == {"n": 15, "rate": 0.015, "users": 1}


def test_earlier_weeks_are_taken_from_their_reports(world: World, database: Database) -> None:
    world.group("a", -WEEK_H + 1)
    world.errors("a", -WEEK_H + 1, n=10)
    due_report(database, NEXT - timedelta(days=7), UTC)
    world.query("DELETE FROM otel_guard.error_hours")  # the retention of a year later
    world.errors("a", 1, n=20)

    assert report(database)["errors"]["last_week"]["n"] == 10


def test_what_was_dropped_is_said(world: World, database: Database) -> None:
    world.errors("a", 1)
    for hours, n in ((2, 12), (3, 5), (-3, 100)):
        world.query(
            "INSERT INTO otel_guard.record_drops (id, reason, kind, n, first_at, last_at) "
            "VALUES (gen_random_uuid(), 'full', 'error', %s, %s, %s)",
            n,
            world.at(hours),
            world.at(hours),
        )

    assert report(database)["errors"]["dropped"] == [{"reason": "full", "kind": "error", "n": 17}]


def test_kinds_are_new_back_or_escalating(world: World, database: Database) -> None:
    world.minute(-4 * WEEK_H, n=1)
    world.group("new", 5)
    world.errors("new", 5, n=50)
    world.group("back", -3 * WEEK_H, regressed_at=world.at(6))
    world.errors("back", 6, n=2)
    for name, n in (("grows", 60), ("grows-little", 19), ("stays", 40)):
        world.group(name, -4 * WEEK_H)
        world.errors(name, 7, n=n)
    for weeks in range(1, 5):
        world.errors("grows", 7 - weeks * WEEK_H, n=20)
        world.errors("stays", 7 - weeks * WEEK_H, n=20)

    groups = report(database)["groups"]
    names = {key: [row["fingerprint"] for row in groups[key]] for key in ("new", "regressed", "escalating")}
    assert names == {"new": ["new"], "regressed": ["back"], "escalating": ["grows"]}
    assert groups["escalating"][0]["mean"] == 20
    assert groups["new"][0]["place"].startswith("shop/orders.py:88")


def test_the_top_ten_are_those_that_most_users_met(world: World, database: Database) -> None:
    for number in range(12):
        world.group(f"g{number:02}", 1)
        for user in range(number):
            world.errors(f"g{number:02}", 2, user=f"u{user}")
    world.group("loud", 1)
    world.errors("loud", 2, n=5000)

    top = report(database)["groups"]["top"]
    assert [(row["fingerprint"], row["users"]) for row in top[:3]] == [("g11", 11), ("g10", 10), ("g09", 9)]
    assert len(top) == 10


def test_the_oldest_open_critical_is_named(world: World, database: Database) -> None:
    for name, hours, more in (
        ("young", 3, {}),
        ("old", -100, {}),
        ("older-done", -200, {"state": "resolved"}),
        ("older-high", -300, {"severity": "high"}),
    ):
        world.group(name, hours, **({"severity": "critical"} | more))
    world.errors("young", 3)

    assert report(database)["groups"]["oldest_critical"]["fingerprint"] == "old"


def test_slow_queries_and_repeated_ones_have_their_place(world: World, database: Database) -> None:
    for ms in (600, 1200, 3000):
        world.slow(3, ms)
    world.slow(-3, 9000)
    world.repeated(4, 48)

    slow = report(database)["slow"]
    (query,), (repeated,) = slow["queries"], slow["n_plus_one"]
    assert (query["table_name"], query["n"], query["max_ms"]) == ("orders", 3, 3000)
    assert (repeated["query"], repeated["highest"], repeated["route"]) == ("SELECT items", 48, "/cart")
    assert query["place"].startswith("shop/orders.py:88")
    assert repeated["place"].startswith("shop/orders.py:88")
    assert slow["last_week"] == {"database_query": 1}


def test_incidents_stand_with_their_notes_and_times(world: World, database: Database) -> None:
    noted = world.incident(5, note="pool was too small", acknowledged_by="ana", acknowledged_at=world.at(5.1))
    world.event(noted, "fired", 5, detail={"ingested_at": world.at(5).isoformat()})
    by_hand = world.incident(6)
    world.event(by_hand, "resolved", 6.1, actor="ben")
    world.incident(7, resolution="false_positive")
    world.incident(-5)

    found = report(database)["incidents"]
    assert (found["fired"], found["acted_on"]) == (3, 2)
    assert [(row["note"], row["is_acted_on"]) for row in found["listed"]] == [
        ("pool was too small", True),
        (None, True),
        (None, False),
    ]
    assert found["times"]["all"]["detect"]["n"] == 2
    assert found["times"]["all"]["ingest"]["values"] == (0,)


def test_a_statement_that_takes_too_long_is_missing_and_the_rest_is_there(world: World, database: Database) -> None:
    world.errors("a", 1, n=7)
    found = report(database, each_ms=5000, all_s=0.0)

    assert found["errors"]["n"] is None
    assert "report_errors" in found["missing"]


def test_the_week_that_runs_ends_now(world: World, database: Database) -> None:
    world.errors("a", 1, n=7)
    world.errors("a", 30, n=100)
    found = report(database, now=world.at(24))

    assert (found["is_whole"], found["errors"]["n"]) == (False, 7)
