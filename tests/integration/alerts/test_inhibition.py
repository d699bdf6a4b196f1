"""One incident speaks for others: they go on, and are told only if they outlast it."""

from datetime import timedelta
from typing import Any

from otel_guard.core.routing import MUTED
from otel_guard.core.rule import Finding, Rule
from tests.integration.alerts.conftest import World

DOWN = Rule(name="dependency_unhealthy", kind="x", type="dependency_unhealthy", severity="critical")
BURST = Rule(name="error_burst", kind="x", type="high_error_rate", severity="high", clear_s=300)


def database(state: str = "bad") -> Finding:
    return finding("dependency_unhealthy", state, dimension="database", severity="critical")


def burst(state: str = "bad", **fields: Any) -> Finding:
    return finding("error_burst", state, **fields)


def finding(rule: str, state: str, **fields: Any) -> Finding:
    values: dict[str, Any] = {"rule": rule, "state": state, "service": "web", "environment": "prod", "severity": "high"}
    return Finding(**(values | fields))


def level(world: World, rule: str) -> int:
    return next(incident.escalation_level for incident in world.all() if incident.rule == rule)


def test_a_burst_under_a_dead_database_fires_unheard(world: World) -> None:
    world.follow(DOWN, database())
    world.follow(BURST, burst())
    world.deliver()
    world.later(60)
    world.follow(DOWN)
    world.follow(BURST)
    world.deliver()
    world.later(600)
    world.follow(BURST)
    world.deliver()

    assert world.make.said == ["fired dependency_unhealthy", "resolved dependency_unhealthy"]
    assert [incident.state for incident in world.all()] == ["resolved", "resolved"]
    muted = next(incident for incident in world.all() if incident.rule == "error_burst")
    assert world.kinds(muted.id) == ["fired", "inhibited", "resolved"]


def test_what_outlasts_it_is_told_then_once(world: World) -> None:
    world.follow(DOWN, database())
    world.follow(BURST, burst(top=("`E` x3",)))
    assert level(world, "error_burst") == MUTED
    for _ in range(3):
        world.later(60)
        world.follow(BURST, burst())
    world.deliver()
    assert world.escalate() == 0
    world.follow(DOWN)
    for _ in range(3):
        world.later(15)
        world.follow(BURST, burst(top=("`E` x4",)))
        world.deliver()

    assert world.make.said == ["fired dependency_unhealthy", "resolved dependency_unhealthy", "fired error_burst"]
    assert world.make.taken[-1][0].top == ("`E` x4",)
    assert level(world, "error_burst") == 1


def test_what_waits_when_the_cause_is_found_is_taken_back(world: World) -> None:
    world.fire("first")
    world.deliver()
    world.later(1)
    world.follow(BURST, burst())
    world.later(1)
    world.follow(DOWN, database())
    world.deliver()

    assert world.slack.said == ["fired first", "fired dependency_unhealthy"]
    assert world.make.said == ["fired first", "fired dependency_unhealthy"]
    assert level(world, "error_burst") == MUTED


def test_what_was_told_before_the_cause_was_found_is_told_to_its_end(world: World) -> None:
    world.follow(BURST, burst())
    world.deliver()
    world.later(15)
    world.follow(DOWN, database())
    world.deliver()
    world.clock.now += timedelta(seconds=300)
    world.follow(BURST)
    world.deliver()

    assert world.make.said == ["fired error_burst", "fired dependency_unhealthy", "resolved error_burst"]


def test_a_muted_incident_that_grows_worse_is_told_when_nobody_speaks_for_it(world: World) -> None:
    world.follow(DOWN, database())
    world.follow(BURST, burst())
    world.deliver()
    world.later(15)
    world.follow(DOWN)
    world.follow(BURST, burst(severity="critical"))
    world.deliver()

    assert world.make.taken[-1][0].event == "fired"
    assert world.make.taken[-1][0].incident.severity == "critical"
