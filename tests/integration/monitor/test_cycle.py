"""One cycle on a real Postgres: what the rules find is given, the clock is moved by hand."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest

from otel_guard.alerts.incidents import Incidents, Policy
from otel_guard.core.exceptions import StoreUnavailableError
from otel_guard.core.rule import Finding, Moment, Rule
from otel_guard.core.rules_builtin import RULES
from otel_guard.monitor.cycle import NO_TIME, Cycle, Done, Plan, Work
from otel_guard.runtime.clock import SYSTEM
from otel_guard.settings.tree import Retention
from otel_guard.store.ask import Database
from otel_guard.store.lane import Lane

Query = Callable[..., list[dict[str, Any]]]
OWN = tuple(rule for rule in RULES if rule.name in {"rule_error", "rules_invalid"})
KEY = "sk_" + "live_" + "4eC39HqLyjWDarjtT1zdp7dc"


class Hands:
    """A clock that is moved by hand; the database has its own."""

    def __init__(self) -> None:
        self.s = 0.0

    def now_ms(self) -> int:
        return SYSTEM.now_ms()

    def monotonic(self) -> float:
        return self.s

    def sleep(self, seconds: float) -> None:
        self.s += seconds


class World:
    """Rules a and b, judged by what `found` holds for them."""

    def __init__(self, lane: Lane, query: Query) -> None:
        self.lane = lane
        self.query = query
        self.clock = Hands()
        self.said: list[str] = []
        self.rules: tuple[Rule, ...] = (rule("a"), rule("b"), *OWN)
        self.found: dict[str, Callable[[], list[Finding]]] = {}
        self.judged: list[str] = []
        self.problems: tuple[str, ...] = ()
        self.retention = Retention()
        self.is_offline = False
        self.go_on: Callable[[], bool] = lambda: True
        self.work: dict[str, Callable[..., object]] = {}

    def cycle(self, period_s: float | None = 15.0, lane: Lane | None = None) -> Done:
        return Cycle(
            (lane or self.lane).transaction,
            Plan(
                rules=self.rules,
                problems=self.problems,
                retention=self.retention,
                incidents=Incidents(Policy(channels=(), escalation={}), SYSTEM),
                judge=self._judge,
            ),
            Work(
                leftovers=self.work.get("leftovers", int),
                is_offline=lambda _database: self.is_offline,
                report=self.work.get("report", lambda _database, _now: None),
            ),
            self.clock,
            instance="host:7",
            period_s=period_s,
            say=self.said.append,
            go_on=self.go_on,
        ).run()

    def _judge(self, rule: Rule, _moment: Moment) -> list[Finding]:
        self.judged.append(rule.name)
        return self.found.get(rule.name, list)()

    def open(self) -> list[tuple[str, str]]:
        rows = self.query("SELECT dedup_key, message FROM otel_guard.incidents WHERE state <> 'resolved' ORDER BY 1")
        return [(row["dedup_key"], row["message"]) for row in rows]

    def heartbeat(self) -> Mapping[str, Any]:
        (row,) = self.query("SELECT * FROM otel_guard.heartbeats WHERE kind = 'monitor'")
        return row


def rule(name: str) -> Rule:
    return Rule(name=name, kind="custom", type=name, severity="high")


def bad(name: str) -> Callable[[], list[Finding]]:
    return lambda: [Finding(rule=name, state="bad", service="web", environment="prod", severity="high", message="bad")]


def raising(error: Exception) -> Callable[[], list[Finding]]:
    def found() -> list[Finding]:
        raise error

    return found


@pytest.fixture
def world(dsn: str, query: Query) -> Iterator[World]:
    lane = Lane(dsn, SYSTEM)
    yield World(lane, query)
    lane.close()


def test_it_fires_resolves_and_beats(world: World) -> None:
    world.found["a"] = bad("a")
    first = world.cycle()
    world.found.clear()
    second = world.cycle()

    assert (first.rules, first.fired, first.resolved) == (4, 1, 0)
    assert (second.fired, second.resolved, world.open()) == (0, 1, [])
    beat = world.heartbeat()
    assert (beat["name"], beat["instance"], beat["period_s"]) == ("monitor", "host:7", 15.0)
    assert datetime.fromisoformat(beat["detail"]["retention_at"]) <= datetime.now(UTC)  # noqa: TID251 - the real one
    assert beat["detail"]["rules"] == 4
    assert world.said == []


def test_a_rule_that_raises_three_times_is_told_and_its_incident_stays(world: World) -> None:
    world.found["a"] = bad("a")
    world.cycle()
    world.found["a"] = raising(ValueError(f"no column {KEY}"))
    twice = [world.cycle().failing for _ in range(2)]
    third = world.cycle()

    assert twice == [{}, {}]
    assert list(third.failing) == ["a"]
    assert KEY not in third.failing["a"]
    assert [key for key, _ in world.open()] == ["a:prod:web", "rule_error:::a"]
    world.found["a"] = bad("a")
    assert world.cycle().failing == {}


def test_a_rule_that_takes_more_than_5_s_three_times_is_told_but_judged(world: World) -> None:
    def slow() -> list[Finding]:
        world.clock.sleep(6)
        return bad("a")()

    world.found["a"] = slow
    done = [world.cycle() for _ in range(3)]

    assert done[-1].failing == {"a": "it took 6.0 s, more than 5"}
    assert [key for key, _ in world.open()] == ["a:prod:web", "rule_error:::a"]


def test_one_rule_without_an_answer_is_its_own_trouble(world: World) -> None:
    world.found |= {"a": raising(StoreUnavailableError("canceling statement due to statement timeout")), "b": bad("b")}

    assert world.cycle().fired == 1
    assert world.heartbeat()["detail"]["failing"]["a"]["n"] == 1


def test_a_postgres_that_went_away_ends_the_cycle_without_a_heartbeat(world: World) -> None:
    lane = Gone(world.lane)
    world.found["a"] = lane.leave

    with pytest.raises(StoreUnavailableError):
        world.cycle(lane=lane)  # type: ignore[arg-type]
    assert world.query("SELECT * FROM otel_guard.heartbeats") == []
    assert world.judged == ["a"]


class Gone:
    """A lane whose server leaves."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._is_gone = False

    def leave(self) -> list[Finding]:
        self._is_gone = True
        return []

    def transaction(self) -> AbstractContextManager[Database]:
        if self._is_gone:
            raise StoreUnavailableError("connection refused")
        return self._lane.transaction()


def test_problems_of_the_file_are_told_until_they_are_mended(world: World) -> None:
    world.problems = ('rule.x.abov: unknown key; did you mean "above"?',)
    world.cycle()

    assert world.open() == [("rules_invalid::", "1 problem in otel_guard.toml: run otel-guard rules check")]


def test_what_a_rule_opened_that_is_gone_ends(world: World) -> None:
    world.found["a"] = bad("a")
    world.cycle()
    world.rules = (rule("b"), *OWN)

    assert (world.cycle().resolved, world.open()) == (1, [])


def test_offline_nothing_is_judged_but_the_heartbeat_goes_on(world: World) -> None:
    world.is_offline = True
    world.found["a"] = bad("a")

    assert (world.cycle().fired, world.judged, world.open()) == (0, [], [])
    assert world.heartbeat()["detail"]["offline"] is True


def test_without_time_left_the_rest_of_the_rules_wait_and_the_watch_says_so(world: World) -> None:
    world.go_on = lambda: world.judged != ["a"]
    done = []
    for _ in range(3):
        world.judged.clear()
        done.append(world.cycle().failing)

    assert done == [{}, {}, {"b": NO_TIME}]
    assert [key for key, _ in world.open()] == ["rule_error:::b"]


def test_an_end_leaves_the_cycle_at_once_and_without_a_heartbeat(world: World) -> None:
    def ended() -> bool:
        if world.judged:
            raise InterruptedError
        return True

    world.go_on = ended
    with pytest.raises(InterruptedError):
        world.cycle()

    assert (world.judged, world.query("SELECT * FROM otel_guard.heartbeats")) == (["a"], [])


def test_a_step_that_fails_is_said_and_the_others_go_on(world: World) -> None:
    def broken(*_: object) -> object:
        raise RuntimeError(f"token {KEY}")

    world.work = {"leftovers": broken, "report": broken}
    world.retention = Retention(errors_days=10**10)
    world.found["a"] = bad("a")
    done = world.cycle()

    assert done.fired == 1
    assert [line.partition(" failed")[0] for line in world.said] == [
        "leftovers",
        "retention (errors)",
        "retention (drops)",
        "report",
    ]
    assert KEY not in "".join(world.said)
    assert world.heartbeat()["detail"]["retention_at"] is None


def test_a_release_that_nobody_announced_is_a_deployment_once(world: World) -> None:
    beat = (
        "INSERT INTO otel_guard.heartbeats (name, instance, kind, service, environment, detail) "
        "VALUES (%s, %s, 'process', %s, 'prod', jsonb_build_object('release', %s::text))"
    )
    for instance, service, release in (("1", "web", "a1"), ("2", "web", "a1"), ("3", None, "c3"), ("4", "jobs", None)):
        world.query(beat, "p", instance, service, release)
    world.cycle()
    world.query(beat, "p", "5", "web", "b2")
    world.cycle()
    world.cycle()

    rows = world.query("SELECT service, environment, release, previous, actor FROM otel_guard.deployments ORDER BY at")
    assert [tuple(row.values()) for row in rows] == [
        ("web", "prod", "a1", None, "monitor"),
        ("web", "prod", "b2", "a1", "monitor"),
    ]
    assert world.said == ["web (prod) runs the new release a1", "web (prod) runs the new release b2"]


def test_cron_first_has_an_hour_as_its_period(world: World) -> None:
    world.cycle(None)

    assert world.heartbeat()["period_s"] == 3600.0
