"""From the outbox to the channels: order, pauses, groups, throttle, silences, and couriers that die."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from otel_guard.alerts.courier import Courier
from otel_guard.core.incident import Answer
from otel_guard.store import channels, outbox, silences
from otel_guard.store.ask import run
from otel_guard.store.silences import SilenceError
from tests.integration.alerts.conftest import DOWN, NOON, OK, Query, World, opening

DEAD = Answer(kind="dead", status=404, detail="404 no_service")


def state(world: World, name: str) -> dict[str, Any]:
    with world.database() as database:
        return next(row for row in channels.states(database) if row["channel"] == name)


def failing(world: World) -> list[str]:
    with world.database() as database:
        return [row["channel"] for row in channels.failing(database, world.clock.now)]


def test_a_message_goes_out_once_and_the_first_yes_counts(world: World, query: Query) -> None:
    world.make.answer = Answer(kind="unconfirmed", status=200)
    incident_id = world.fire("burst")
    world.later(2)

    assert world.deliver().sent == 2
    assert world.deliver().sent == 0
    assert (world.slack.said, world.make.said) == (["fired burst"], ["fired burst"])
    assert world.make.tries[0][0] == f"{incident_id}:fired:1:make"
    assert world.the_one().first_delivered_at == NOON + timedelta(seconds=2)
    rows = query("SELECT state, attempts, last_status, sent_at, locked_until FROM otel_guard.alert_outbox")
    assert [(row["state"], row["attempts"], row["last_status"], row["locked_until"]) for row in rows] == [
        ("sent", 1, 200, None)
    ] * 2
    assert state(world, "make")["last_ok_at"] == world.clock.now


def test_a_notice_goes_through_the_database_unchanged(world: World) -> None:
    world.open(
        opening(
            "slow_queries",
            value=7.5,
            threshold=5,
            queries=({"query": "select", "duration": 1200.5, "table": "orders", "place": "a.py:1"},),
            labels={"team": "shop"},
            top=("`select` x7",),
        )
    )
    world.deliver()

    ((notice,),) = world.make.taken
    level_and_yes = {"escalation_level": 0, "first_delivered_at": None}  # came after it was written
    assert notice.incident == replace(world.the_one(), **level_and_yes)
    assert notice.incident.queries[0]["duration"] == 1200.5
    assert (notice.incident.labels, notice.top, notice.at) == ({"team": "shop"}, ("`select` x7",), NOON)


def test_fired_and_resolved_while_undelivered_is_one_message(world: World) -> None:
    world.make.answer = world.slack.answer = DOWN
    incident_id = world.fire("burst")
    world.deliver()
    world.later(240)
    world.resolve(incident_id)
    world.make.answer = world.slack.answer = OK
    world.later(60)
    world.deliver()

    ((notice,),) = world.make.taken
    assert (notice.event, notice.incident.state) == ("fired", "resolved")
    assert notice.incident.message == "burst is bad; over since, it lasted 0 s"
    assert sorted(row[1:] for row in world.outbox() if row[0] == "make") == [
        ("fired", "superseded"),
        ("resolved", "sent"),
    ]
    world.later(3600)
    world.deliver()
    assert len(world.make.taken) == len(world.slack.taken) == 1


def test_resolved_is_told_only_where_fired_was(world: World) -> None:
    world.make.answer = DEAD
    incident_id = world.fire("burst")
    world.deliver()
    world.resolve(incident_id)
    world.later(60)
    world.deliver()

    assert world.slack.said == ["fired burst", "resolved burst"]
    assert world.make.said == []


def test_an_outage_of_an_hour_is_delivered_later_in_order(world: World) -> None:
    world.make.answer = DOWN
    world.slack.answer = DOWN
    for minute in range(60):
        if minute % 6 == 0:
            world.fire(f"rule_{minute:02}", "critical" if minute == 30 else "high")
        for _ in range(4):
            world.later(15)
            world.deliver()
    tries = len(world.make.tries)
    assert 7 <= tries <= 16  # 5 s, 10 s … 10 min
    world.make.answer = world.slack.answer = OK
    for _ in range(50):
        world.later(15)
        world.deliver()

    names = [f"fired rule_{minute:02}" for minute in range(0, 60, 6)]
    assert world.make.said == names
    assert world.slack.said == [", ".join(names[:5]), names[5], ", ".join(names[6:])]
    assert {row[2] for row in world.outbox()} == {"sent"}
    assert state(world, "make")["failures"] == 0


def test_back_off_grows_to_10_min_and_after_a_day_the_row_is_dead(world: World, query: Query) -> None:
    world.make.answer = DOWN
    del world.channels["slack"]
    world.fire("burst")
    waits = []
    for _ in range(9):
        world.deliver()
        (row,) = query("SELECT next_attempt_at FROM otel_guard.alert_outbox WHERE channel = 'make'")
        waits.append((row["next_attempt_at"] - world.clock.now).total_seconds())
        world.clock.now = row["next_attempt_at"]

    assert waits == [5, 10, 20, 40, 80, 160, 320, 600, 600]
    world.clock.now = NOON + timedelta(hours=24)
    world.deliver()
    (row,) = query(
        "SELECT state, last_status, last_error, attempts FROM otel_guard.alert_outbox WHERE channel = 'make'"
    )
    assert row == {"state": "dead", "last_status": 503, "last_error": "503 Service Unavailable", "attempts": 10}
    assert failing(world) == ["make"]


def test_a_pause_that_the_server_asks_for_holds_the_whole_channel_to_the_second(world: World) -> None:
    world.make.answer = Answer(kind="retry", status=429, detail="429 Too Many Requests", after_s=90)
    first = world.fire("burst")
    world.deliver()
    world.make.answer = OK
    world.later(1)
    critical = world.fire("payment", "critical")
    for seconds in (0, 30, 58.9):
        world.later(seconds)
        world.deliver()
        world.deliver(critical)
        world.deliver(first)

    assert len(world.make.tries) == 1
    assert world.slack.said == ["fired burst", "fired payment"]
    assert state(world, "make")["blocked_until"] == NOON + timedelta(seconds=90)
    world.later(0.2)
    world.deliver()
    assert world.make.said == ["fired burst", "fired payment"]


def test_a_dead_channel_loses_its_rows_and_shows_it(world: World, query: Query) -> None:
    world.make.answer = DEAD
    world.fire("burst")
    world.later(1)
    world.fire("payment")
    assert world.deliver().failed == 1

    assert {row for row in world.outbox() if row[0] == "make"} == {("make", "fired", "dead")}
    assert state(world, "make")["is_dead"]
    assert failing(world) == ["make"]
    world.fire("other")
    world.later(60)
    world.deliver()
    assert len(world.make.tries) == 1  # this process has seen it die
    assert world.slack.said == ["fired burst, fired payment", "fired other"]
    assert query("SELECT count(*) AS n FROM otel_guard.alert_outbox WHERE channel = 'make' AND state = 'dead'") == [
        {"n": 3}
    ]


def test_a_new_process_tries_a_dead_channel_again(world: World) -> None:
    world.make.answer = DEAD
    world.fire("burst")
    world.deliver()
    world.make.answer = OK
    world.fire("payment")
    world.new_courier().deliver()

    assert world.make.said == ["fired payment"]
    assert not state(world, "make")["is_dead"]
    assert failing(world) == []


def test_a_test_message_that_was_taken_mends_a_channel(world: World) -> None:
    world.make.answer = DEAD
    world.fire("burst")
    world.deliver()
    with world.database() as database:
        channels.write_worked(database, "make", world.clock.now)

    assert failing(world) == []
    assert not state(world, "make")["is_dead"]


def test_a_channel_fails_when_a_message_has_waited_for_10_min(world: World) -> None:
    world.make.answer = DOWN
    world.fire("burst")
    world.deliver()
    assert failing(world) == []
    world.later(600)

    assert failing(world) == ["make"]
    world.make.answer = OK
    world.deliver()
    assert failing(world) == []


def test_a_channel_that_raises_is_tried_again_and_its_address_is_not_written_down(world: World, query: Query) -> None:
    address = "https://hooks.slack.com/services/" + "T0/B0/" + "x" * 24

    def broken() -> Answer:
        raise RuntimeError(address)

    world.make.answer = broken
    world.slack.answer = Answer(kind="retry", detail=f"no answer from {address}")
    world.fire("burst")
    world.deliver()

    rows = query("SELECT last_error FROM otel_guard.alert_outbox ORDER BY channel")
    assert [row["last_error"] for row in rows] == ["not sent (RuntimeError)", "no answer from …"]


def test_a_group_is_one_message_after_30_s_and_critical_does_not_wait(world: World) -> None:
    for name in ("a", "b", "c"):
        world.fire(name)
        world.deliver()
        world.later(5)
    world.fire("now", "critical")
    world.deliver()
    assert world.slack.said == ["fired a", "fired now"]
    world.later(30)
    world.deliver()

    assert world.slack.said == ["fired a", "fired now", "fired b, fired c"]
    assert world.make.said == ["fired a", "fired b", "fired c", "fired now"]


def test_the_21st_message_in_10_min_is_held_counted_and_sent_later(world: World) -> None:
    for n in range(25):
        world.fire(f"rule_{n:02}", "critical")
        world.deliver()
        world.later(1)

    assert len(world.make.taken) == 21
    held = world.make.taken[20][0]
    assert (held.event, held.held) == ("held", 1)
    assert state(world, "make")["held"] == 5
    world.later(550)
    world.deliver()
    assert len(world.make.taken) == 21
    for _ in range(20):
        world.later(2)
        world.deliver()
    assert world.make.said[21:] == [f"fired rule_{n:02}" for n in range(20, 25)]
    assert state(world, "make")["held"] == 0


def test_a_group_counts_as_one_message_for_the_throttle(world: World) -> None:
    for n in range(30):
        world.fire(f"rule_{n:02}")
    for _ in range(4):
        world.deliver()
        world.later(30)

    assert [len(one) for one in world.slack.taken] == [30]
    assert state(world, "slack")["held"] == 0


def test_a_silence_holds_messages_until_it_ends_and_the_incident_goes_on(world: World) -> None:
    with world.database() as database:
        silence_id = silences.add(
            database, {"rule": "burst", "team": "shop"}, NOON + timedelta(hours=2), "ana", "moving", now=NOON
        )
        assert [(row["id"], row["matchers"]) for row in silences.active(database, NOON)] == [
            (silence_id, {"rule": "burst", "team": "shop"})
        ]
    world.open(opening("burst", labels={"team": "shop"}))
    world.fire("payment")
    world.later(60)
    world.deliver()
    assert (world.make.said, world.slack.said) == (["fired payment"], ["fired payment"])
    assert {incident.state for incident in world.all()} == {"firing"}
    world.clock.now = NOON + timedelta(hours=2)
    world.deliver()

    assert world.make.said == ["fired payment", "fired burst"]
    with world.database() as database:
        assert silences.active(database, world.clock.now) == []


def test_a_silence_can_be_ended(world: World) -> None:
    with world.database() as database:
        silence_id = silences.add(database, {"service": "web"}, NOON + timedelta(hours=2), "ana", None, now=NOON)
    world.fire("burst")
    world.deliver()
    assert world.make.said == []
    with world.database() as database:
        assert silences.end(database, silence_id, NOON)
        assert not silences.end(database, silence_id, NOON)
    world.deliver()

    assert world.make.said == ["fired burst"]


@pytest.mark.parametrize(("matchers", "days"), [({}, 1), ({"rule": "x"}, 31)])
def test_a_silence_matches_something_and_ends_within_30_days(world: World, matchers: dict[str, str], days: int) -> None:
    with world.database() as database, pytest.raises(SilenceError):
        silences.add(database, matchers, NOON + timedelta(days=days), "ana", None, now=NOON)


def test_a_courier_that_died_in_mid_send_is_followed_after_60_s(world: World) -> None:
    incident_id = world.fire("burst")
    with world.database() as database:
        claimed = outbox.claim(database, [f"{incident_id}:fired:1:make"], world.clock.now)
    assert claimed is not None
    world.later(59)
    world.deliver()
    assert (world.make.said, world.slack.said) == ([], ["fired burst"])
    world.later(1)
    world.deliver()

    assert world.make.said == ["fired burst"]


def test_a_critical_message_does_not_wait_for_one_that_died_in_mid_send(world: World) -> None:
    incident_id = world.fire("burst")
    with world.database() as database:
        outbox.claim(database, [f"{incident_id}:fired:1:make"], world.clock.now)
    critical = world.fire("payment", "critical")
    world.deliver(critical)

    assert world.make.said == ["fired payment"]


def test_a_yes_that_comes_after_the_lock_has_run_out_still_counts(world: World) -> None:
    key = f"{world.fire('burst')}:fired:1:make"
    with world.database() as database:
        late = outbox.claim(database, [key], world.clock.now)
        world.later(61)
        other = outbox.claim(database, [key], world.clock.now)
        assert late is not None
        assert other is not None
        outbox.settle_failed(database, "make", late, DOWN, 5, world.clock.now)  # not its row any more
        outbox.settle_sent(database, late, OK, world.clock.now)
        outbox.settle_failed(database, "make", other, DOWN, 5, world.clock.now)

    assert ("make", "fired", "sent") in world.outbox()


def test_two_couriers_at_once_send_each_row_once_and_in_order(world: World) -> None:
    world.channels.pop("slack")
    names = [f"rule_{n:02}" for n in range(15)]
    for name in names:
        world.fire(name)
        world.later(1)
    barrier = threading.Barrier(4)

    def work(courier: Courier) -> None:
        barrier.wait(30)
        for _ in range(40):
            courier.deliver()

    couriers = [world.new_courier(world.new_lane()) for _ in range(4)]
    threads = [threading.Thread(target=work, args=(courier,)) for courier in couriers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert world.make.said == [f"fired {name}" for name in names]


def test_what_no_channel_is_for_is_given_up_after_a_day(world: World) -> None:
    world.fire("burst")
    world.channels.pop("make")
    world.deliver()
    assert ("make", "fired", "pending") in world.outbox()
    world.later(86_400)
    world.deliver()

    assert ("make", "fired", "dead") in world.outbox()


def test_one_incident_is_delivered_apart_from_the_rest(world: World) -> None:
    world.fire("a")
    world.deliver()
    world.fire("b")
    critical = world.fire("now", "critical")

    assert world.deliver(critical).sent == 2
    assert (world.slack.said, world.make.said) == (["fired a", "fired now"], ["fired a", "fired now"])


def test_the_next_time_something_is_due_is_told(world: World) -> None:
    assert world.deliver().wait_s == 60
    world.fire("a")
    world.deliver()
    world.fire("b")
    world.later(10)

    assert world.deliver().wait_s == 20
    world.make.answer = DOWN
    world.fire("c")
    sent = world.deliver()
    assert (sent.failed, sent.wait_s) == (1, 1.0)


def test_the_database_has_the_time_unless_a_clock_is_brought(world: World, query: Query) -> None:
    with world.database() as database:
        run(database, "channel_worked", {"channel": "x", "now": None})

    (row,) = query("SELECT now() - last_ok_at AS passed FROM otel_guard.channel_state")
    assert row["passed"] < timedelta(minutes=1)
