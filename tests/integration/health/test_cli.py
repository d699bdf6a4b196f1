import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from otel_guard.cli import execute
from otel_guard.core.dependency import SERVICES
from otel_guard.demo.standins._http import Response, as_json, serve
from otel_guard.integrations.wsgi import wrap
from otel_guard.runtime.clock import SYSTEM
from otel_guard.store.heartbeats import Beat, write_beat
from otel_guard.store.lane import Lane
from tests.unit.health.conftest import MakeWorld
from tests.unit.health.world import World

Cli = Callable[..., str]
TOKEN = "t" * 32


@pytest.fixture
def cli(dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    """Run `otel-guard health` and return what it printed."""
    monkeypatch.setenv("OTEL_GUARD_DSN", dsn)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str, code: int = 0) -> str:
        assert execute(["health", *arguments]) == code
        return capsys.readouterr().out

    return call


@contextmanager
def serving(server: Any) -> Iterator[str]:
    """Serve in a thread; its address."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


@pytest.fixture
def fleet(make_world: MakeWorld, dsn: str) -> Iterator[list[World]]:
    """Two processes that told their health."""
    lane = Lane(dsn, SYSTEM)
    worlds = [make_world(dsn=dsn, host=f"web-{number}") for number in (1, 2)]
    for world in worlds:
        world.call("database", "." * 30)
        world.call("ai", "......")
        world.call("ai", "xxxxxx", system="anthropic")
        world.look()
        world.health.tend(lane.transaction)
    yield worlds
    lane.close()


@pytest.mark.parametrize("width", [80, 140])
def test_it_says_what_is_wrong_and_then_all(
    cli: Cli, fleet: list[World], width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = cli().splitlines()

    assert fleet
    assert lines[0] == "degraded  ai_providers: claude unhealthy, openai serves"
    shown = {line.split()[0]: line.split()[1:] for line in lines[2:]}
    assert shown["database"] == ["*", "healthy", "10", "0.0%", "60"]
    assert shown["claude"][:3] == ["unhealthy", "100.0%", "12"]
    assert "storage" not in shown
    assert max(map(len, lines)) <= width


def test_strict_takes_degraded_for_a_problem(cli: Cli, fleet: list[World]) -> None:
    assert fleet
    assert cli("--strict", code=1).startswith("degraded")


def test_json_is_the_body_with_details(cli: Cli, fleet: list[World]) -> None:
    body = json.loads(cli("--json"))

    assert fleet
    assert (body["schema"], body["status"], body["scope"]) == ("otel_guard.health.v1", "degraded", "service")
    assert list(body["services"]) == list(SERVICES)
    assert body["metrics"]["window_s"] == 300
    assert (body["processes"], body["services"]["database"]["samples"]) == (2, 60)


def test_an_outage_is_exit_1(cli: Cli, make_world: MakeWorld, dsn: str) -> None:
    lane = Lane(dsn, SYSTEM)
    world = make_world(dsn=dsn)
    world.call("payment", "xxxxxx")
    world.look()
    world.health.tend(lane.transaction)
    lane.close()

    assert cli(code=1).startswith("unhealthy  payment: 6 of 6 calls failed: server errors")


def test_nobody_there_is_exit_1(cli: Cli) -> None:
    assert cli(code=1) == "unknown  no process has told its health in the last 150 s\n"


def test_a_healthy_fleet_is_a_line_with_its_size(cli: Cli, dsn: str, query: Callable[..., Any]) -> None:
    lane = Lane(dsn, SYSTEM)
    for host in ("a", "b"):
        write_beat(
            lane, Beat(name="shop", instance=f"{host}:1", service="shop", detail={"window": {}, "durable": True})
        )
    lane.close()
    query("INSERT INTO otel_guard.switches (name, enabled) VALUES ('payments', false)")

    assert cli().startswith("healthy  2 processes\n")


def test_an_application_can_be_asked(cli: Cli, make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_GUARD_HEALTH_TOKEN", TOKEN)
    world = make_world(health_token=TOKEN)
    world.call("database", "......")
    world.look()
    server = make_server("127.0.0.1", 0, wrap(lambda _e, _s: [], world), threaded=True)
    with serving(server) as url:
        body = json.loads(cli("--url", url, "--json"))
        assert cli("--url", f"{url}/health").startswith("healthy")
        monkeypatch.delenv("OTEL_GUARD_HEALTH_TOKEN")
        assert cli("--url", url).startswith("healthy  details are shown to those who have OTEL_GUARD_HEALTH_TOKEN")

    assert (body["version"], body["services"]["database"]["status"]) == ("1.4.2", "healthy")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (as_json(200, {"no": "health"}), "answered 200, and no health"),
        (Response(502, b"<html>", {}), "answered 502, and no health"),
    ],
)
def test_what_is_no_health_is_said(cli: Cli, answer: Response, problem: str) -> None:
    running = serve(lambda _request: answer)
    try:
        assert problem in json.loads(cli("--url", running.url, "--json", code=1))["problem"]
    finally:
        running.stop()
    assert "did not answer" in json.loads(cli("--url", running.url, "--json", code=1))["problem"]


def test_probes_can_be_run_from_here(cli: Cli, dsn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    running = serve(lambda _request: as_json(401, {}))
    monkeypatch.setenv("DATABASE_URL", dsn)
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    (tmp_path / "otel_guard.toml").write_text(
        "[check.database]\nurl_env = 'DATABASE_URL'\n"
        f"[check.openai]\nkey_env = 'OPENAI_API_KEY'\nurl = '{running.url}'\n"
    )
    try:
        lines = cli("--probe").splitlines()
    finally:
        running.stop()

    assert lines[0] == "degraded  ai_providers: openai unhealthy"
    assert any(line.split()[:3] == ["database", "*", "healthy"] for line in lines)
    assert any(line.split()[0] == "openai" and "credentials" in line for line in lines[2:])


def test_probes_without_checks_and_both_ways_at_once_are_usage(cli: Cli) -> None:
    assert "[check.*]" in json.loads(cli("--probe", "--json", code=2))["problem"]
    assert "exclude" in json.loads(cli("--probe", "--url", "http://x", "--json", code=2))["problem"]
