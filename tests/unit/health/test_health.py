import json
from typing import Any

import msgspec
import pytest

from otel_guard.core.web import Request
from tests.unit.health.conftest import MakeWorld
from tests.unit.health.world import World, threads, until

ALWAYS = ["database", "storage", "ai_providers", "payment", "email", "cache", "monitor", "journal"]


def test_a_fresh_process_shows_all_services_and_is_healthy(world: World) -> None:
    world.health.start()
    body = world.health.body()

    assert (body["status"], body["scope"], body["age_ms"]) == ("healthy", "process", 0)
    services = world.services()
    assert list(services) == ALWAYS
    assert {services[name]["status"] for name in ALWAYS[:-1]} == {"not_configured"}
    assert [one["provider"] for one in services["ai_providers"]["providers"]] == ["openai", "claude", "gemini"]
    assert services["monitor"] == {"status": "not_configured", "message": "no rules, no retention"}
    assert services["journal"] == {"status": "healthy", "critical": False, "durable": True}


def test_calls_alone_tell_how_it_is(world: World) -> None:
    world.call("database", "." * 30)
    world.call("payment", "." * 20 + "x" * 6)
    world.call("ai", "......")
    world.call("ai", "xxxxxx", system="anthropic")
    services = world.look()

    assert services["database"] == {
        "status": "healthy",
        "critical": True,
        "source": "passive",
        "latency_ms": 10.0,
        "error_rate": 0.0,
        "samples": 30,
    }
    assert services["payment"]["status"] == "unhealthy"
    assert services["payment"]["message"] == "6 of 26 calls failed: server errors"
    assert services["ai_providers"]["status"] == "degraded"
    assert services["ai_providers"]["message"] == "claude unhealthy, openai serves"
    assert world.health.body()["status"] == "unhealthy"
    assert world.health.body(group="ai")["status"] == "degraded"
    assert list(world.services(group="critical")) == ["database", "payment"]


@pytest.mark.parametrize(("after_s", "status"), [(15.0, "healthy"), (15.1, "unknown")])
def test_a_snapshot_older_than_three_periods_says_nothing(world: World, after_s: float, status: str) -> None:
    world.call("database", ".....")
    world.look()
    world.clock.seconds += after_s

    assert world.services()["database"]["status"] == status
    assert world.services()["cache"]["status"] == "not_configured"
    assert world.woken == (2 if status == "unknown" else 0)


def test_a_request_makes_no_call_but_the_waking_of_a_child(world: World) -> None:
    world.health.add("stock", world.hang)
    world.look()
    world.health.after_fork()

    world.health.answer("health", Request(method="GET", path="/health"))
    assert world.woken == 1
    assert world.health.ready() == "ready"


def test_a_check_of_the_application_fails_and_recovers(world: World) -> None:
    faults: list[Exception] = [ValueError("no stock")]

    def stock() -> None:
        if faults:
            raise faults[0]

    world.health.add("stock", stock, critical=True)
    world.look()
    world.settle("stock")
    assert world.look()["stock"] == {
        "status": "unhealthy",
        "critical": True,
        "source": "active",
        "latency_ms": 0.0,
        "message": "ValueError: no stock",
    }
    assert world.health.body()["status"] == "unhealthy"

    faults.clear()
    world.look(40)
    world.settle("stock")
    assert world.look()["stock"]["status"] == "healthy"


def test_a_check_is_not_asked_before_its_time(world: World) -> None:
    asked: list[int] = []
    world.health.add("stock", lambda: asked.append(1), every_s=30)
    for _ in range(4):
        world.look(5)
        world.settle("stock")
    assert len(asked) == 1

    world.look(25)
    world.settle("stock")
    assert len(asked) == 2


def test_a_hung_check_is_said_and_not_asked_again_while_it_hangs(world: World) -> None:
    world.health.add("slow", world.hang, timeout_s=2.0, every_s=5.0)
    world.look()
    for _ in range(5):
        services = world.look(10)

    assert services["slow"]["message"] == "timed out"
    assert threads() == ["otel-guard-probe-slow"]

    world.release()
    world.settle("slow")
    world.health.add("slow", lambda: None)
    world.look(10)
    world.settle("slow")
    assert world.look()["slow"]["status"] == "healthy"


def test_at_most_four_checks_run_at_a_time_and_hung_ones_hold_nobody_up(world: World) -> None:
    for number in range(6):
        world.health.add(f"c{number}", world.hang, timeout_s=2.0)
    world.health.tick()
    assert len(threads()) == 4

    world.look(3)
    assert len(threads()) == 6


def test_a_queue_is_a_figure_and_no_service(world: World) -> None:
    def broken() -> int:
        raise ConnectionError

    world.health.queue("default", lambda: 4)
    world.health.queue("mail", broken)
    world.look()
    world.settle("queue:default")
    world.settle("queue:mail")
    world.look()
    metrics: Any = world.health.body()["metrics"]

    assert (metrics["queues"], metrics["queue_depth"]) == ({"default": 4}, 4)
    assert list(world.services()) == ALWAYS


def test_users_and_requests_are_figures(world: World) -> None:
    for user in ("ana", "ben", "ana"):
        world.health.user(user)
    world.call("api", "." * 18 + "xx", kind="SERVER")
    world.look()
    metrics: Any = world.health.body()["metrics"]

    assert (metrics["active_users"], metrics["error_rate"], metrics["response_time_ms"]) == (2, 0.1, 10.0)
    assert "window_s" in metrics


def test_switches_and_circuits_are_shown(make_world: MakeWorld) -> None:
    facts: dict[str, Any] = {
        "switches": lambda: {"payments": False, "ai.openai": False},
        "circuits": lambda: {"anthropic": "open", "gcp.gemini": "half_open"},
    }
    world = make_world(facts=facts)
    world.call("payment", "......")
    world.call("ai", "......", system="gcp.gemini")
    services = world.look()

    assert services["payment"]["switch"] == "paused"
    shown = {one["provider"]: (one["status"], one.get("circuit")) for one in services["ai_providers"]["providers"]}
    assert shown == {
        "openai": ("disabled", None),
        "claude": ("unhealthy", "open"),
        "gemini": ("degraded", "half_open"),
    }
    assert services["ai_providers"]["message"] == "claude open, gemini degraded"


def test_facts_can_come_later(make_world: MakeWorld) -> None:
    facts: dict[str, Any] = {}
    world = make_world(facts=facts)
    world.look()
    facts["switches"] = lambda: {"payments": True}

    assert world.look()["payment"]["switch"] == "enabled"


@pytest.mark.parametrize(
    ("stats", "message"),
    [
        ({"memory_mode": True, "memory_why": "full"}, "in memory, not on disk"),
        ({"oldest_s": 121.0}, "oldest record 121 s"),
        ({"bytes": 600}, "more than half full"),
        ({"dropped": {"quota": 7}}, "7 records dropped"),
    ],
)
def test_a_journal_in_trouble_degrades(world: World, stats: dict[str, Any], message: str) -> None:
    world.look()
    world.stats = msgspec.structs.replace(world.stats, **stats)

    assert world.look()["journal"]["message"] == message
    assert world.health.body()["status"] == "degraded"


def test_a_drop_is_forgotten_after_five_minutes(world: World) -> None:
    world.look()
    world.stats = msgspec.structs.replace(world.stats, dropped={"quota": 7})
    world.look()

    assert world.look(301)["journal"]["status"] == "healthy"


def test_readiness_asks_only_the_probes_that_it_is_told_to(make_world: MakeWorld) -> None:
    world = make_world(health_ready=("stock", "nothing"))
    world.health.add("other", lambda: 1 / 0)
    is_out = [False]
    world.health.add("stock", lambda: 1 / (not is_out[0]))

    said = []
    for is_out[0] in (False, True, False):
        world.look(40)
        world.settle("stock")
        world.settle("other")
        said.append(world.health.ready())
    assert said == ["ready", "not_ready", "ready"]
    assert world.services()["other"]["status"] == "unhealthy"


def test_an_outage_seen_by_calls_alone_takes_no_traffic_away(world: World) -> None:
    world.call("database", "xxxxxx")
    world.look()

    assert world.health.body()["status"] == "unhealthy"
    assert world.health.ready() == "ready"


def test_a_process_is_starting_until_its_probes_have_answered(make_world: MakeWorld) -> None:
    world = make_world(health_ready=("stock",))
    world.health.add("stock", lambda: None)
    world.health.start()
    assert world.health.ready() == "starting"

    world.health.tick()
    assert world.health.ready() == "starting"
    world.settle("stock")
    assert world.health.ready() == "ready"


def test_a_probe_that_hangs_keeps_it_starting_no_longer_than_its_time(make_world: MakeWorld) -> None:
    world = make_world(health_ready=("stock",))
    world.health.add("stock", world.hang, timeout_s=2.0)
    world.health.start()
    world.health.tick()
    world.look(2.1)

    assert world.health.ready() == "not_ready"


def test_closed_is_draining(world: World) -> None:
    world.health.start()
    world.health.close()
    answer = world.health.answer("readyz", Request(method="GET", path="/readyz"))

    assert (answer.status, json.loads(answer.body)) == (503, {"status": "draining"})
    assert world.health.answer("livez", Request(method="GET", path="/livez")).status == 200


def test_switched_off_it_takes_no_traffic_away(make_world: MakeWorld) -> None:
    world = make_world(enabled=False)
    world.health.start()
    world.look()

    assert world.health.ready() == "ready"
    assert world.health.body()["status"] == "healthy"
    assert {service["status"] for service in world.services().values()} == {"disabled"}


def test_a_child_forgets_what_the_parent_saw(world: World) -> None:
    world.call("database", "xxxxxx")
    world.look()
    world.health.after_fork()

    assert world.services()["database"] == {"status": "not_configured"}


def test_a_fact_that_fails_tells_nothing(make_world: MakeWorld) -> None:
    world = make_world(strict=False, facts={"switches": lambda: 1 / 0, "circuits": lambda: "none"})
    world.call("payment", "......")

    assert world.look()["payment"]["status"] == "healthy"


def test_a_fault_of_ours_takes_no_traffic_away_for_long(make_world: MakeWorld) -> None:
    world = make_world(strict=False)
    world.is_broken = True
    world.health.start()
    assert world.health.ready() == "starting"

    world.clock.seconds += 16
    assert world.health.ready() == "ready"
    answer = world.health.answer("health", Request(method="GET", path="/health"))
    assert (answer.status, json.loads(answer.body)["status"]) == (200, "degraded")


def test_an_authorize_that_raises_authorizes_nobody(make_world: MakeWorld) -> None:
    def authorize(_request: Request) -> Any:
        raise RuntimeError

    world = make_world(strict=False)
    world.look()
    answer = world.health.answer("health", Request(method="GET", path="/health"), authorize)

    assert sorted(json.loads(answer.body)) == ["status", "timestamp", "version"]


def test_what_is_wrong_with_the_settings_is_said(make_world: MakeWorld) -> None:
    world = make_world(health_token="short", tables={"check": {"payment": {}}})

    assert len([line for line in world.health.problems if "health.token" in line]) == 1
    assert len([line for line in world.health.problems if "check.payment" in line]) == 1


def test_no_thread_is_left_when_nothing_is_asked(world: World) -> None:
    world.health.add("stock", lambda: None)
    world.look()
    until(lambda: threads() == [])

    world.look(1)
    assert threads() == []
