"""Every arrow of an incident's life, on a real Postgres."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from otel_guard.core.incident import RESOLUTIONS
from otel_guard.core.rule import Finding, Rule
from otel_guard.store import incidents
from otel_guard.store.lane import Lane
from tests.integration.alerts.conftest import NOON, Query, World, opening

RULE = Rule(name="burst", kind="burst", type="high_error_rate", severity="high", clear_s=300)
HELD = Rule(name="burst", kind="burst", type="high_error_rate", severity="high", for_s=60, clear_s=300)


def found(state: str = "bad", **fields: Any) -> Finding:
    values: dict[str, Any] = {
        "rule": "burst",
        "state": state,
        "service": "web",
        "environment": "prod",
        "severity": "high",
        "message": "37 errors in last 5 minutes",
        "value": 37.0,
        "threshold": 10.0,
    }
    return Finding(**(values | fields))


def test_a_bad_finding_opens_fires_and_is_told(world: World) -> None:
    followed = world.follow(RULE, found(started_at=NOON - timedelta(seconds=90), top=("`E` x37",), release="r1"))

    assert (followed.fired, followed.resolved) == (1, 0)
    incident = world.the_one()
    assert (incident.state, incident.type, incident.dedup_key) == ("firing", "high_error_rate", "burst:prod:web")
    assert (incident.fired_at, incident.impact_started_at) == (NOON, NOON - timedelta(seconds=90))
    assert incident.escalation_level == 1
    assert world.kinds(incident.id) == ["fired"]
    world.deliver()
    ((notice,),) = world.slack.taken
    assert (notice.event, notice.top, notice.incident.value) == ("fired", ("`E` x37",), 37.0)
    assert (notice.runbook_id, notice.runbook) == ("high-error-rate", ("Look", "Roll back"))
    assert notice.acknowledge_command == f"otel-guard ack {incident.id[-6:]}"
    assert world.the_one().first_delivered_at == NOON


def test_what_goes_on_is_not_told_again(world: World) -> None:
    world.follow(RULE, found())
    world.deliver()
    for value in (40.0, 41.0):
        world.later(15)
        assert world.follow(RULE, found(value=value, occurrences=41)).fired == 0

    incident = world.the_one()
    assert (incident.value, incident.occurrences) == (41.0, 41)
    assert incident.last_true_at == NOON + timedelta(seconds=30)
    world.later(600)
    world.deliver()
    assert (world.slack.said, world.make.said) == (["fired burst"], ["fired burst"])


def test_what_must_hold_fires_after_it_has_held(world: World, query: Query) -> None:
    for seconds in (0, 45):
        world.clock.now = NOON + timedelta(seconds=seconds)
        assert world.follow(HELD, found()).fired == 0
    assert query("SELECT state FROM otel_guard.incidents") == [{"state": "pending"}]
    assert world.outbox() == []
    world.clock.now = NOON + timedelta(seconds=60)

    assert world.follow(HELD, found(severity="critical")).fired == 1
    incident = world.the_one()
    assert (incident.state, incident.severity, incident.pending_at) == ("firing", "critical", NOON)
    assert (incident.impact_started_at, incident.fired_at) == (NOON, NOON + timedelta(seconds=60))


@pytest.mark.parametrize("after", [(), (found("still"),), (found("clear"),)])
def test_what_does_not_hold_is_deleted_and_nobody_heard_of_it(
    world: World, query: Query, after: tuple[Finding, ...]
) -> None:
    world.follow(HELD, found())
    world.later(15)
    world.follow(HELD, *after)

    assert query("SELECT id FROM otel_guard.incidents") == []
    assert query("SELECT id FROM otel_guard.incident_events") == []
    world.deliver()
    assert world.slack.tries == []


def test_it_resolves_as_of_the_last_bad_sample_when_good_has_held(world: World) -> None:
    world.follow(RULE, found())
    world.deliver()
    world.later(60)
    world.follow(RULE, found())  # the last bad one
    world.later(200)
    world.follow(RULE, found("still"))
    world.later(299)
    assert world.follow(RULE, found("clear")).resolved == 0
    world.later(1)
    assert world.follow(RULE).resolved == 1

    incident = world.the_one()
    assert (incident.state, incident.resolved_at) == ("resolved", NOON + timedelta(seconds=60))
    world.deliver()
    assert world.slack.said == ["fired burst", "resolved burst"]


def test_a_flapping_value_is_one_incident_and_one_message(world: World) -> None:
    for n in range(40):
        world.follow(RULE, *([found()] if n % 2 else []))
        world.later(15)
        world.deliver()

    assert world.the_one().state == "firing"
    assert world.make.said == ["fired burst"]


def test_worse_ends_an_acknowledgement_and_is_told(world: World) -> None:
    world.follow(RULE, found())
    world.deliver()
    incident = world.the_one()
    assert world.acknowledge(incident.id)
    world.later(60)
    world.follow(RULE, found(severity="critical", value=60.0))

    raised = world.the_one()
    assert (raised.state, raised.severity) == ("firing", "critical")
    assert (raised.acknowledged_at, raised.acknowledged_by) == (None, None)
    assert world.kinds(raised.id) == ["fired", "acknowledged", "raised"]
    world.deliver()
    assert world.slack.said == ["fired burst", "raised burst"]
    world.follow(RULE, found(severity="low"))
    assert world.the_one().severity == "critical"


def test_an_acknowledged_incident_stays_so_while_it_is_bad_and_resolves(world: World) -> None:
    world.follow(RULE, found())
    assert world.acknowledge(world.the_one().id)
    assert not world.acknowledge(world.the_one().id)
    world.later(15)
    world.follow(RULE, found())
    incident = world.the_one()
    assert (incident.state, incident.acknowledged_by, incident.acknowledged_at) == ("acknowledged", "ana", NOON)
    world.later(300)

    assert world.follow(RULE).resolved == 1


def test_true_again_within_10_min_is_the_same_incident_told_once_more(world: World) -> None:
    world.follow(RULE, found())
    world.deliver()
    world.later(300)
    world.follow(RULE)
    world.deliver()
    world.later(599)
    assert world.follow(RULE, found()).fired == 1

    incident = world.the_one()
    assert (incident.state, incident.resolved_at, incident.fired_at) == ("firing", None, NOON)
    world.later(15)
    world.follow(RULE, found())
    world.deliver()
    assert world.make.said == ["fired burst", "resolved burst", "fired burst"]
    assert world.kinds(incident.id) == ["fired", "resolved", "reopened"]


def test_true_again_later_is_another_incident(world: World) -> None:
    world.follow(RULE, found())
    world.later(300)
    world.follow(RULE)
    world.later(601)
    world.follow(RULE, found())

    assert [incident.state for incident in world.all()] == ["resolved", "firing"]


def test_each_service_and_dimension_has_its_own(world: World) -> None:
    world.follow(RULE, found(), found(service="api"), found(dimension="x"), found("clear", dimension="y"))

    assert sorted(incident.dedup_key for incident in world.all()) == [
        "burst:prod:api",
        "burst:prod:web",
        "burst:prod:web:x",
    ]


def test_a_rule_that_is_off_or_gone_lets_its_incidents_go(world: World) -> None:
    world.follow(RULE, found())
    by_hand = world.open(opening("stock", rule=None))
    with world.database() as database:
        assert world.incidents.let_go(database, {"burst"}, world.moment()) == 0
        assert world.incidents.let_go(database, {"error_rate"}, world.moment()) == 1

    assert [incident.state for incident in world.all() if incident.id != by_hand.id] == ["resolved"]
    assert [incident.state for incident in world.all() if incident.id == by_hand.id] == ["firing"]


def test_a_fast_opening_touches_what_is_open_and_makes_it_louder(world: World) -> None:
    first = world.open(opening("burst", occurrences=3))
    again = world.open(opening("burst", occurrences=4))
    worse = world.open(opening("burst", "critical"))

    assert (first.is_new, again.is_new, worse.is_new) == (True, False, True)
    assert first.id == again.id == worse.id
    incident = world.the_one()
    assert (incident.occurrences, incident.severity) == (8, "critical")
    assert world.kinds(incident.id) == ["fired", "raised"]


@pytest.mark.parametrize(("rule", "occurrences"), [("critical_error", 500), ("error_burst", 990)])
def test_the_count_of_the_table_corrects_what_the_fast_path_added(world: World, rule: str, occurrences: int) -> None:
    for n in (500, 490):
        world.open(opening(rule, occurrences=n))
    world.later(15)
    world.follow(replace(RULE, name=rule), found(rule=rule, occurrences=500))

    assert world.the_one().occurrences == occurrences


def test_a_fast_opening_fires_what_is_pending(world: World) -> None:
    world.follow(HELD, found())

    assert world.open(opening("burst")).is_new
    assert world.the_one().state == "firing"


def test_people_act_and_their_notes_stay(world: World) -> None:
    incident_id = world.fire("burst")
    world.later(30)
    assert world.resolve(incident_id)
    assert not world.resolve(incident_id)
    assert not world.acknowledge(incident_id)
    with world.database() as database:
        assert world.incidents.note(database, incident_id, "a bad deploy\x00", "ana")
        assert world.incidents.note(database, incident_id, "rolled back", "ana")
        assert not world.incidents.note(database, "0" * 32, "?", "ana")
        with pytest.raises(ValueError, match="no resolution"):
            world.incidents.resolve(database, incident_id, "ana", "gone")

    incident = world.the_one()
    assert incident.note == "a bad deploy\\x00\nrolled back"
    assert incident.resolution in RESOLUTIONS
    assert world.kinds(incident_id) == ["fired", "resolved", "noted", "noted"]


def test_what_no_rule_watches_ends_when_a_person_says_so(world: World) -> None:
    incident_id = world.fire("x")
    hand = world.open(opening("stock", rule=None)).id
    world.later(60)
    world.resolve(incident_id)
    world.resolve(hand)

    ends = {incident.id: incident.resolved_at for incident in world.all()}
    assert ends == {incident_id: NOON, hand: NOON + timedelta(seconds=60)}


def test_an_id_is_found_by_its_end(world: World) -> None:
    incident_id = world.fire("burst")
    with world.database() as database:
        assert [each.id for each in incidents.find(database, incident_id[-6:].upper())] == [incident_id]
        assert [each.id for each in incidents.find(database, incident_id)] == [incident_id]
        assert incidents.find(database, "%") == incidents.find(database, "") == incidents.find(database, "zz") == []
        assert [each.id for each in incidents.list_open(database)] == [incident_id]


def test_the_deployment_of_the_hour_before_is_named(world: World, query: Query) -> None:
    for release, minutes, service in (("old", 70, "web"), ("a1b2c3d", 6, "web"), ("other", 1, "api")):
        at = NOON - timedelta(minutes=minutes)
        query(
            "INSERT INTO otel_guard.deployments (service, environment, release, at) VALUES (%s, 'prod', %s, %s)",
            service,
            release,
            at,
        )
    world.follow(RULE, found(started_at=NOON))
    world.deliver()

    ((notice,),) = world.make.taken
    assert notice.deployed == "6 min after deploy a1b2c3d"
    assert world.the_one().release == "a1b2c3d"


def test_without_a_deployment_nothing_is_said_of_one(world: World) -> None:
    world.follow(RULE, found())
    world.deliver()

    assert world.make.taken[0][0].deployed is None


def test_a_step_after_the_other_until_somebody_acknowledges(world: World) -> None:
    incident_id = world.fire("burst", "critical")
    world.deliver()
    assert world.escalate() == 0
    world.later(600)
    assert world.escalate() == 2
    assert world.escalate() == 0
    world.deliver()
    world.later(1200)
    assert world.acknowledge(incident_id)
    assert world.escalate() == 0

    world.deliver()
    assert world.make.said == ["fired burst", "escalated burst"]
    assert world.the_one().escalation_level == 2


def test_an_acknowledgement_takes_back_a_step_that_was_not_delivered(world: World) -> None:
    incident_id = world.fire("burst", "critical")
    world.deliver()
    world.later(600)
    world.escalate()
    world.acknowledge(incident_id)
    world.deliver()

    assert world.make.said == ["fired burst"]


def test_steps_count_from_when_it_grew_critical(world: World) -> None:
    world.follow(RULE, found())
    world.later(3000)
    world.follow(RULE, found(severity="critical"))

    assert world.escalate() == 0
    world.later(600)
    assert world.escalate() == 2


def test_low_is_for_the_weekly_report(world: World) -> None:
    world.fire("burst", "low")

    assert world.outbox() == []
    assert world.escalate() == 0


def test_a_failing_channel_is_told_of_on_the_others(world: World) -> None:
    world.open(opening("channel_failing", dedup_key="channel_failing:prod:web:slack"))

    assert [(channel, kind) for channel, kind, _ in world.outbox()] == [("make", "fired")]


def test_of_50_openers_at_once_one_opens(world: World) -> None:
    opened = race(world, 50)

    assert sum(opened) == 1
    incident = world.the_one()
    assert incident.occurrences == 50
    assert sorted(world.outbox()) == [("make", "fired", "pending"), ("slack", "fired", "pending")]
    assert world.kinds(incident.id) == ["fired"]


def test_of_20_that_find_it_again_at_once_one_reopens(world: World) -> None:
    incident_id = world.fire("burst")
    world.deliver()
    world.resolve(incident_id)
    world.deliver()
    opened = race(world, 20)

    assert sum(opened) == 1
    assert world.the_one().occurrences == 21
    world.deliver()
    assert world.make.said == ["fired burst", "resolved burst", "fired burst"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_no_number_is_left_out(world: World, value: float) -> None:
    world.follow(RULE, found(value=value, message="a\x00b\udce9"))

    assert (world.the_one().value, world.the_one().message) == (None, "a\\x00b\\udce9")


def race(world: World, n: int) -> list[bool]:
    """Open the same from *n* threads, each with a connection of its own, at once."""
    barrier, opened, lock = threading.Barrier(n), [], threading.Lock()

    def work(lane: Lane) -> None:
        with lane.transaction():
            pass  # connected
        barrier.wait(30)
        with lane.transaction() as database:
            result = world.incidents.open(database, opening("burst"))
        with lock:
            opened.append(result.is_new)

    threads = [threading.Thread(target=work, args=(world.new_lane(),)) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return opened
