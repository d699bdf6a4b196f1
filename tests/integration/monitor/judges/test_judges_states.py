"""Rules that watch a state: jobs, processes, dependencies, queues, channels, on rows."""

import json
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from otel_guard.core.rule import Moment, dedup_key
from otel_guard.monitor.judges.watch import rule_errors, rules_invalid
from otel_guard.monitor.judging import GIVEN, JUDGES
from tests.integration.monitor.judges.conftest import BUILTIN, NOON, World, ago, custom

DAY = 86_400


def job(world: World, seconds: float, **row: Any) -> None:
    known: dict[str, Any] = {"name": "invoices", "instance": "web:production", "kind": "job", "period_s": DAY}
    world.process(seconds, **(known | row))


@pytest.mark.parametrize(
    ("seconds", "period_s", "state"),
    [(1.1 * DAY, DAY, "clear"), (1.1 * DAY + 1, DAY, "bad"), (360, 300, "clear"), (361, 300, "bad")],
)
def test_a_beat_is_missed_after_its_period_and_a_tenth_at_least_a_minute(
    world: World, seconds: float, period_s: float, state: str
) -> None:
    job(world, seconds, period_s=period_s)

    assert world.state("heartbeat_missed") == state


def test_a_missed_beat_names_the_job_and_when_it_was_due(world: World) -> None:
    job(world, 97_200)
    job(world, 10, name="emails")

    states = {each.dimension: each for each in world.find("heartbeat_missed")}
    found = states["invoices"]

    assert {name: each.state for name, each in states.items()} == {"invoices": "bad", "emails": "clear"}
    assert found.message == "invoices: no beat for 27 h, expected every 24 h"
    assert (found.started_at, found.severity) == (ago(97_200 - DAY), "high")
    assert dedup_key(found) == "heartbeat_missed:production:web:invoices"


def test_processes_are_no_jobs(world: World) -> None:
    world.process(9 * DAY)

    assert world.find("heartbeat_missed") == []


@pytest.mark.parametrize(
    ("seconds", "state"), [(149, "clear"), (151, "bad"), (3600, "bad"), (3601, "still"), (DAY + 1, None)]
)
def test_a_service_is_silent_when_no_process_lives(world: World, seconds: float, state: str | None) -> None:
    world.process(seconds)

    assert [each.state for each in world.find("service_silent")] == ([state] if state else [])


def test_one_live_process_is_enough_and_services_are_apart(world: World) -> None:
    world.process(600)
    world.process(10, instance="web-2:9")
    world.process(600, instance="worker-1:3", name="worker", service="worker")

    found = {each.service: each for each in world.find("service_silent")}

    assert {name: each.state for name, each in found.items()} == {"web": "clear", "worker": "bad"}
    assert found["worker"].message == "no process of worker has been seen for 10 min"
    assert found["worker"].started_at == ago(540)  # when its next sign of life was due


@pytest.mark.parametrize(
    ("detail", "dimension"),
    [
        ({"oldest_s": 121}, "journal"),
        ({"journal_bytes": 135_000_000}, "journal_full"),
        ({"journal_bytes": 600, "limit_bytes": 1000}, "journal_full"),
        ({"redacted_late": 1}, "redaction"),
    ],
)
def test_a_journal_that_does_not_move_is_a_backlog(world: World, detail: dict[str, object], dimension: str) -> None:
    world.process(10, detail)
    world.process(10, {"oldest_s": 1}, instance="web-2:9")

    assert {each.dimension for each in world.find("backlog") if each.state == "bad"} == {dimension}


@pytest.mark.parametrize(
    "detail", [{}, {"oldest_s": 120, "journal_bytes": 500, "limit_bytes": 1000}, {"oldest_s": "soon"}]
)
def test_a_journal_that_moves_is_none(world: World, detail: dict[str, object]) -> None:
    world.process(10, detail)

    assert {each.state for each in world.find("backlog")} == {"clear"}


def test_a_dead_process_says_nothing_of_its_journal(world: World) -> None:
    world.process(200, {"oldest_s": 900})

    assert world.find("backlog") == []


@pytest.mark.parametrize(("seconds", "is_found"), [(100, True), (130, False)])
def test_dropped_records_are_a_backlog(world: World, seconds: float, *, is_found: bool) -> None:
    for number, reason in enumerate(("quota", "quota", "lag")):
        world.insert(
            "record_drops", id=f"018bcfe5-6800-7000-8000-00000000000{number}", reason=reason, kind="error", n=2,
            first_at=ago(seconds + 9), last_at=ago(seconds),
        )  # fmt: skip

    found = world.find("backlog")

    assert bool(found) is is_found
    if is_found:
        assert (found[0].message, found[0].dimension) == ("6 records dropped: quota 4, lag 2", "drops")
        assert found[0].started_at == ago(seconds + 9)


def message(world: World, seconds: float, **row: Any) -> None:
    payload = json.dumps({"event": "fired", "at": ago(seconds).isoformat()})
    known = {"key": "k", "channel": "slack", "kind": "fired", "payload": payload, "next_attempt_at": ago(seconds)}
    world.insert("alert_outbox", **(known | row))


@pytest.mark.parametrize(
    ("seconds", "row", "is_found"),
    [
        (301, {}, True),
        (299, {}, False),
        (301, {"next_attempt_at": ago(-60)}, False),
        (301, {"next_attempt_at": ago(-60), "attempts": 4}, True),
        (301, {"state": "sent"}, False),
    ],
)
def test_messages_not_sent_for_5_minutes_are_a_backlog(
    world: World, seconds: float, row: dict[str, Any], *, is_found: bool
) -> None:
    message(world, seconds, **row)

    found = world.find("backlog")

    assert bool(found) is is_found
    if is_found:
        assert found[0].message == "1 message for slack not sent for more than 5 min"


def test_silenced_and_held_messages_are_no_backlog(world: World) -> None:
    world.query("INSERT INTO otel_guard.channel_state (channel, held) VALUES ('make', 3)")
    message(world, 900, key="held", channel="make")
    (row,) = world.query(
        "INSERT INTO otel_guard.incidents (type, dedup_key, severity, service) VALUES ('t', 'k', 'low', 'web') RETURNING id"
    )
    message(world, 900, incident_id=row["id"])
    world.insert("silences", matchers={"service": "web"}, ends_at=ago(-900))

    assert world.find("backlog") == []


def three(world: World, name: str, *statuses: str, seconds: float = 300, **row: Any) -> None:
    """One process a status."""
    for number, status in enumerate(statuses):
        instance = f"web-{number}:1"
        if not world.query("SELECT 1 FROM otel_guard.heartbeats WHERE instance = %s", instance):
            world.process(10, instance=instance)
        world.status(name, status, seconds, instance, **row)


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        (("unhealthy", "unhealthy", "healthy"), "bad"),
        (("unhealthy", "healthy", "healthy"), "clear"),
        (("unhealthy", "degraded", "healthy"), "still"),
        (("unknown", "unknown"), "still"),
        (("disabled",), "clear"),
    ],
)
def test_a_dependency_is_as_the_median_of_processes_says(world: World, statuses: tuple[str, ...], state: str) -> None:
    three(world, "payment", *statuses, critical=True)

    assert world.state("dependency_unhealthy") == state


def test_an_unhealthy_dependency_says_why(world: World) -> None:
    three(world, "payment", "unhealthy", "unhealthy", critical=True, message="5 of 5 calls failed", seconds=40)

    found = world.one("dependency_unhealthy")

    assert (found.severity, found.context, found.started_at) == ("critical", "payment", ago(40))
    assert found.message == "payment unhealthy in 2 of 2 processes: 5 of 5 calls failed"
    assert dedup_key(found) == "dependency_unhealthy:production:web:payment"


@pytest.mark.parametrize(("seconds", "state"), [(89, "still"), (90, "bad")])
def test_what_is_not_critical_is_given_four_times_as_long(world: World, seconds: float, state: str) -> None:
    three(world, "cache", "unhealthy", seconds=seconds)

    found = world.one("dependency_unhealthy")

    assert (found.state, found.severity) == (state, "medium")


def test_old_rows_and_dead_processes_say_nothing_of_dependencies(world: World) -> None:
    world.process(10)
    world.status("payment", "unhealthy", checked_at=ago(151))
    world.process(200, instance="web-2:9")
    world.status("cache", "unhealthy", instance="web-2:9")

    assert world.find("dependency_unhealthy") == []


def test_a_dependency_that_is_not_configured_is_not_judged(world: World) -> None:
    three(world, "storage", "not_configured")

    assert world.find("dependency_unhealthy") == []


def test_an_ai_provider_fails_by_itself(world: World) -> None:
    three(world, "ai.openai", "healthy")
    three(world, "ai.anthropic", "unhealthy", message="circuit open")

    found = {each.dimension: each for each in world.find("ai_provider_failing")}

    assert {name: each.state for name, each in found.items()} == {"anthropic": "bad", "openai": "clear"}
    assert (found["anthropic"].severity, found["anthropic"].context) == ("medium", "ai")
    assert found["anthropic"].message == "claude unhealthy: circuit open; openai serves"
    assert dedup_key(found["anthropic"]) == "ai_provider_failing:production:web:anthropic"
    assert world.find("dependency_unhealthy") == []


def test_no_ai_provider_left_is_high(world: World) -> None:
    three(world, "ai.openai", "unhealthy")
    three(world, "ai.anthropic", "unhealthy")
    three(world, "ai.gcp.gemini", "not_configured")

    assert {each.severity for each in world.find("ai_provider_failing")} == {"high"}


def test_a_rule_of_the_user_counts_unhealthy_dependencies(world: World) -> None:
    rule = custom(source="health", where={"name": "cache"}, above=0, clear=0)
    three(world, "cache", "healthy")
    three(world, "email", "unhealthy")

    assert world.state(rule) == "clear"
    assert world.state(rule, where={}) == "bad"
    assert world.one(rule, where={}).message == "email unhealthy"


def queue(world: World, seconds: float, instance: str, **depths: int | None) -> None:
    world.process(seconds, {"window": {"queues": depths}}, instance=instance)


def test_a_queue_is_as_deep_as_the_last_process_says(world: World) -> None:
    rule = replace(BUILTIN["queue_depth"], above=100, clear=80)
    queue(world, 60, "web-1:1", default=900, mail=3)
    queue(world, 10, "web-2:1", default=101, mail=None, export=None)
    world.process(10, instance="web-3:1")

    found = {each.dimension: each for each in world.find(rule)}

    assert {name: each.state for name, each in found.items()} == {"default": "bad", "mail": "clear", "export": "still"}
    assert (found["default"].value, found["default"].message) == (101, "101 jobs wait in default")
    assert dedup_key(found["default"]) == "queue_depth:production:web:default"


@pytest.mark.parametrize(("depth", "state"), [(100, "still"), (101, "bad"), (80, "clear")])
def test_a_queue_fires_over_its_limit_and_clears_at_four_fifths(world: World, depth: int, state: str) -> None:
    queue(world, 10, "web-1:1", default=depth)

    assert world.state(replace(BUILTIN["queue_depth"], above=100, clear=80)) == state


def test_a_rule_of_the_user_watches_one_queue(world: World) -> None:
    queue(world, 10, "web-1:1", default=900, mail=3)

    assert world.one(custom(source="queue", where={"name": "mail"}, above=2, clear=1)).value == 3


def test_a_dead_channel_and_one_that_refuses_are_failing(world: World) -> None:
    world.insert("channel_state", channel="slack", blocked_until="9999-06-01", failures=1, last_error_at=ago(50))
    world.insert("channel_state", channel="make", failures=7, last_error_at=ago(50))
    world.insert("channel_state", channel="ops", failures=0, last_ok_at=ago(5))
    message(world, 700, key="m", channel="make", attempts=7, last_error="503")

    found = {each.dimension: each for each in world.find("channel_failing")}

    assert {name: each.state for name, each in found.items()} == {"slack": "bad", "make": "bad"}
    assert found["make"].message == "the channel make has refused 7 times in a row: 503"
    assert found["slack"].message.startswith("the channel slack is dead; give it a new address")
    assert (found["make"].started_at, found["slack"].started_at) == (ago(700), ago(50))


def test_a_channel_that_failed_for_less_than_10_minutes_is_not_failing(world: World) -> None:
    world.insert("channel_state", channel="make", failures=7, last_error_at=ago(50))
    message(world, 590, key="m", channel="make", attempts=7)

    assert world.find("channel_failing") == []


def test_the_watch_tells_of_its_own_rules() -> None:
    moment = Moment(now=NOON, gap_s=15, period_s=15)
    (failed,) = rule_errors(BUILTIN["rule_error"], {"unshipped": "the query gives NULL"}, moment)
    (invalid,) = rules_invalid(BUILTIN["rules_invalid"], ["a: b; c", "d: e; f"], moment)

    assert (failed.state, dedup_key(failed)) == ("bad", "rule_error:::unshipped")
    assert failed.message == "the rule unshipped cannot be judged: the query gives NULL"
    assert (invalid.state, invalid.top) == ("bad", ("a: b; c", "d: e; f"))
    assert invalid.message == "2 problems in otel_guard.toml: run otel-guard rules check"
    assert rules_invalid(BUILTIN["rules_invalid"], [], moment) == []


def test_every_built_in_rule_has_a_judge_or_is_given() -> None:
    assert {rule.kind for rule in BUILTIN.values()} == (set(JUDGES) | GIVEN) - {"custom"}


def test_no_rule_finds_anything_bad_in_an_empty_database(world: World) -> None:
    for rule in BUILTIN.values():
        if rule.kind not in GIVEN:
            limited = replace(rule, above=1.0, clear=0.8) if rule.name in {"queue_depth", "response_time"} else rule
            assert [each for each in world.find(limited) if each.state == "bad"] == [], rule.name


def test_moments_are_utc() -> None:
    assert NOON.utcoffset() == timedelta(0)
