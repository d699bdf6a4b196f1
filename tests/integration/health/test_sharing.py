import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from otel_guard.core.exceptions import StoreUnavailableError
from otel_guard.runtime.clock import SYSTEM
from otel_guard.store.ask import Database
from otel_guard.store.heartbeats import Beat, write_beat
from otel_guard.store.lane import Lane
from tests.unit.health.conftest import MakeWorld
from tests.unit.health.world import World

Query = Callable[..., list[dict[str, object]]]
Two = tuple[World, World]
PID = os.getpid()


@pytest.fixture
def lane(dsn: str) -> Any:
    """The connection of the thread `store`."""
    made = Lane(dsn, SYSTEM)
    yield made
    made.close()


@pytest.fixture
def two(make_world: MakeWorld, dsn: str) -> Two:
    """Two processes of one service."""
    return make_world(dsn=dsn, host="web-1"), make_world(dsn=dsn, host="web-2")


def share(lane: Lane, *worlds: World) -> None:
    """Each writes, then each reads."""
    for world in worlds:
        world.look()
        world.health.tend(lane.transaction)
    for world in worlds:
        world.health.body()
        world.look(16)
        world.health.tend(lane.transaction)
        world.look()


def test_a_process_writes_what_it_sees(two: Two, lane: Lane, query: Query) -> None:
    one, _ = two
    one.call("database", "." * 10)
    one.call("ai", "xxxxxx", system="anthropic")
    one.health.user("ana")
    one.look()
    one.health.tend(lane.transaction)

    rows = query("SELECT * FROM otel_guard.dependency_status ORDER BY name")
    assert [(row["name"], row["instance"], row["status"], row["critical"]) for row in rows] == [
        ("ai.anthropic", f"web-1:{PID}", "unhealthy", False),
        ("database", f"web-1:{PID}", "healthy", True),
    ]
    assert (rows[0]["error_rate"], rows[0]["samples"], rows[0]["message"]) == (
        1.0,
        6,
        "6 of 6 calls failed: server errors",
    )
    (beat,) = query("SELECT name, kind, environment, detail FROM otel_guard.heartbeats")
    assert (beat["name"], beat["kind"], beat["environment"]) == ("shop", "process", "test")
    assert beat["detail"]["window"]["users"] is not None  # type: ignore[index]


def test_changes_are_rows_of_their_own_once(two: Two, lane: Lane, query: Query) -> None:
    one, _ = two
    for letters in ("......", "xxxxxx", "..."):
        one.call("payment", letters)
        one.look()
        one.health.tend(lane.transaction)
        one.health.tend(lane.transaction)

    rows = query("SELECT name, status, previous FROM otel_guard.dependency_changes ORDER BY at, id")
    assert [tuple(row.values()) for row in rows] == [
        ("payment", "unhealthy", "healthy"),
        ("payment", "healthy", "unhealthy"),
    ]


def test_nothing_is_written_before_its_time(two: Two, lane: Lane, query: Query) -> None:
    one, _ = two
    one.call("payment", "......")
    one.look()
    one.health.tend(lane.transaction)
    query("DELETE FROM otel_guard.dependency_status")
    one.look(30)
    one.health.tend(lane.transaction)
    assert query("SELECT 1 FROM otel_guard.dependency_status") == []

    one.look(30)
    one.health.tend(lane.transaction)
    assert len(query("SELECT 1 FROM otel_guard.dependency_status")) == 1


def test_the_service_is_all_its_processes(two: Two, lane: Lane) -> None:
    one, other = two
    one.call("database", "." * 30)
    one.call("api", "." * 20, kind="SERVER")
    other.clock.seconds = one.clock.seconds
    other.call("database", "x" * 10)
    other.call("api", "." * 10 + "x" * 10, kind="SERVER")
    for user, world in (("ana", one), ("ana", other), ("ben", other)):
        world.health.user(user)
    share(lane, one, other)
    body: Any = one.health.body()

    assert body["scope"] == "service"
    assert body["services"]["database"]["status"] == "degraded"  # between healthy and unhealthy
    assert body["services"]["database"]["samples"] == 40
    assert (body["metrics"]["error_rate"], body["metrics"]["active_users"]) == (0.25, 2)
    own: Any = one.health.body(scope="process")
    assert (own["scope"], own["services"]["database"]["status"], own["metrics"]["active_users"]) == (
        "process",
        "healthy",
        1,
    )


def test_another_service_of_the_same_database_is_not_ours(two: Two, lane: Lane, query: Query) -> None:
    one, other = two
    other.call("cache", "x" * 10)
    share(lane, one, other)
    assert one.services()["cache"]["status"] == "unhealthy"

    query("UPDATE otel_guard.heartbeats SET service = 'mail' WHERE instance LIKE 'web-2%'")
    share(lane, one)
    assert one.services()["cache"]["status"] == "not_configured"


def test_a_process_that_is_silent_for_150_s_does_not_count(two: Two, lane: Lane, query: Query) -> None:
    one, other = two
    other.call("cache", "x" * 10)
    share(lane, one, other)
    query(
        "UPDATE otel_guard.dependency_status SET checked_at = now() - interval '151 s' WHERE instance LIKE %s", "web-2%"
    )
    share(lane, one)

    assert one.services()["cache"]["status"] == "not_configured"


def test_without_postgres_it_is_this_process_alone(two: Two, lane: Lane) -> None:
    one, other = two
    share(lane, one, other)
    assert one.health.body()["scope"] == "service"

    def away() -> AbstractContextManager[Database]:
        raise StoreUnavailableError

    one.look(151)
    one.health.tend(away)
    one.look()
    assert one.health.body()["scope"] == "process"


def test_what_could_not_be_written_is_written_later(two: Two, lane: Lane, query: Query) -> None:
    def away() -> AbstractContextManager[Database]:
        raise StoreUnavailableError

    one, _ = two
    one.call("payment", "xxxxxx")
    one.look()
    one.health.tend(away)
    assert query("SELECT 1 FROM otel_guard.dependency_changes") == []

    one.health.tend(lane.transaction)
    assert len(query("SELECT 1 FROM otel_guard.dependency_changes")) == 1


def test_siblings_are_read_more_often_while_somebody_asks(two: Two, lane: Lane) -> None:
    one, other = two
    share(lane, one, other)
    other.call("cache", "x" * 10)
    other.look()
    other.health.tend(lane.transaction)

    one.look(4)
    one.health.body()
    one.health.tend(lane.transaction)
    assert one.look()["cache"]["status"] == "not_configured"
    one.look()
    one.health.tend(lane.transaction)
    assert one.look()["cache"]["status"] == "unhealthy"


def test_the_row_of_the_process_keeps_what_others_write_into_it(two: Two, lane: Lane, query: Query) -> None:
    one, _ = two
    write_beat(
        lane, Beat(name="shop", instance=f"web-1:{PID}", service="shop", environment="test", detail={"dropped": 3})
    )
    one.look()
    one.health.tend(lane.transaction)

    (beat,) = query("SELECT detail FROM otel_guard.heartbeats")
    assert set(beat["detail"]) == {"dropped", "window"}  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("age", "detail", "expected"),
    [
        ("10 s", "{}", ("healthy", None)),
        ("46 s", "{}", ("degraded", "no cycle for 46 s")),
        ("10 s", '{"retention_at": "2020-01-01T00:00:00Z"}', ("degraded", "no retention for a day")),
    ],
)
def test_the_monitor_is_known_by_its_heartbeat(
    two: Two, lane: Lane, query: Query, age: str, detail: str, expected: tuple[str, str | None]
) -> None:
    query(
        "INSERT INTO otel_guard.heartbeats (name, instance, kind, period_s, at, detail) "
        "VALUES ('monitor', 'm', 'monitor', 15, now() - %s::interval, %s::jsonb)",
        age,
        detail,
    )
    share(lane, two[0])
    shown = two[0].services()["monitor"]

    assert (shown["status"], shown.get("message")) == expected
    assert shown["last_cycle_age_s"] >= 10


def test_no_monitor_ever_is_not_configured(two: Two, lane: Lane) -> None:
    assert two[0].look()["monitor"]["status"] == "unknown"
    share(lane, two[0])

    assert two[0].services()["monitor"] == {"status": "not_configured", "message": "no rules, no retention"}
