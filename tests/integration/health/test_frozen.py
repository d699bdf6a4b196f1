import json
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from otel_guard.core.web import Request
from tests.conftest import Server
from tests.integration.health.frozen import ask, freeze, settings, silent_port, stopped
from tests.unit.health.conftest import MakeWorld
from tests.unit.health.world import World, threads, until

CHECKED = ["database", "payment", "storage", "email", "cache"]
CALLS_OUT = (
    "socket",
    "_socket",
    "ssl",
    "_ssl",
    "select",
    "psycopg",
    "psycopg_binary",
    "urllib3",
    "smtplib",
    "http.client",
)


@pytest.fixture
def frozen(make_world: MakeWorld, dsn: str, postgres: Server) -> Iterator[World]:
    """All checks hang, the database's too."""
    with silent_port() as port:
        world = make_world(**settings(dsn, port))
        with stopped(postgres.cluster):
            freeze(world)
            yield world
    until(lambda: threads() == [])


def modules_called(world: World) -> set[str]:
    """The modules of all functions that one request for /health calls in its thread."""
    called: set[str] = set()

    def note(frame: FrameType, event: str, argument: Any) -> None:
        name = getattr(argument, "__module__", None) if event == "c_call" else frame.f_globals.get("__name__")
        called.add(str(name or type(getattr(argument, "__self__", None)).__module__))

    sys.setprofile(note)
    try:
        ask(world.health)
    finally:
        sys.setprofile(None)
    return called


def test_all_is_said_to_hang(frozen: World) -> None:
    body = json.loads(ask(frozen.health))

    assert {name: body["services"][name].get("message") for name in CHECKED} == dict.fromkeys(CHECKED, "timed out")
    providers = body["services"]["ai_providers"]["providers"]
    assert {provider["error"] for provider in providers} == {"timed out"}
    assert body["status"] == "unhealthy"


def test_a_request_calls_nobody_while_all_is_frozen(frozen: World) -> None:
    called = modules_called(frozen)

    assert "otel_guard.health.endpoint" in called
    assert [name for name in called if name.startswith(CALLS_OUT)] == []


def test_liveness_and_readiness_say_what_they_know(frozen: World) -> None:
    alive = frozen.health.answer("livez", Request(method="GET", path="/livez"))
    ready = frozen.health.answer("readyz", Request(method="GET", path="/readyz"))

    assert (alive.status, ready.status, json.loads(ready.body)) == (200, 503, {"status": "not_ready"})


def test_a_hung_check_has_one_thread(frozen: World) -> None:
    frozen.look(300)

    assert len(threads()) == len(set(threads()))


def test_it_recovers_when_the_database_goes_on(make_world: MakeWorld, dsn: str, postgres: Server) -> None:
    with silent_port() as port:
        world = make_world(**settings(dsn, port))
        with stopped(postgres.cluster):
            freeze(world)
            assert world.health.ready() == "not_ready"
        until(lambda: threads() == [])
        world.look(20)
        world.settle("database")
        world.look(1)

        assert world.health.ready() == "ready"
        assert world.services()["database"]["status"] == "healthy"
        until(lambda: threads() == [])
