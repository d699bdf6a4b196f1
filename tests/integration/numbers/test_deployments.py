"""Deployments: one row each, whoever notices it first, and what came within an hour."""

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from otel_guard.cli import execute
from otel_guard.store.deployments import recent, record
from otel_guard.store.monitoring import note_releases
from tests.integration.numbers.world import World

Query = Callable[..., list[dict[str, Any]]]
Database = psycopg.Connection[Any]


def deploy(database: Database, release: str, **fields: Any) -> dict[str, Any]:
    values = {"service": "web", "environment": "production"} | fields
    return record(database, str(uuid.uuid4()), release=release, **values)


@pytest.fixture
def cli(
    dsn: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., str]:
    for name, value in {"OTEL_GUARD_DSN": dsn, "COLUMNS": "80", "USER": "ana"}.items():
        monkeypatch.setenv(name, value)
    for name in ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", "GIT_SHA", "SENTRY_RELEASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def said(*arguments: str, code: int = 0) -> str:
        assert execute(arguments) == code
        captured = capsys.readouterr()
        return captured.out or captured.err

    return said


def test_a_deployment_knows_what_ran_before(database: Database, world: World) -> None:
    deploy(database, "r1", now=world.at(1))
    row = deploy(database, "r2", now=world.at(2), url="https://ci.example.com/7", actor="ana")

    assert (row["previous"], row["actor"], row["url"], row["at"]) == (
        "r1",
        "ana",
        "https://ci.example.com/7",
        world.at(2),
    )


def test_what_the_monitor_saw_first_is_the_same_deployment(database: Database, world: World) -> None:
    world.heartbeat(1, detail={"release": "r1"})
    seen = note_releases(database, world.at(1))
    row = deploy(database, "r1", now=world.at(1) + timedelta(minutes=5), actor="ana", url="https://ci.example.com/7")

    assert [each["release"] for each in seen] == ["r1"]
    assert (row["at"], row["actor"], row["url"]) == (world.at(1), "ana", "https://ci.example.com/7")
    assert len(recent(database, 10)) == 1


@pytest.mark.parametrize(
    ("release", "hours", "fields"),
    [("r1", 1.5, {"service": "worker"}), ("r1", 3, {}), ("r2", 1.5, {})],
    ids=["another service", "later", "another release"],
)
def test_any_other_is_one_of_its_own(
    database: Database, world: World, release: str, hours: float, fields: dict[str, Any]
) -> None:
    deploy(database, "r1", now=world.at(1))
    deploy(database, release, now=world.at(hours), **fields)

    assert len(recent(database, 10)) == 2


def test_going_back_is_a_deployment_too(database: Database, world: World) -> None:
    for hours, release in enumerate(("r1", "r2", "r1")):
        row = deploy(database, release, now=world.at(hours / 10))

    assert (row["release"], row["previous"]) == ("r1", "r2")
    assert [each["release"] for each in recent(database, 10)] == ["r1", "r2", "r1"]


def test_kinds_of_errors_within_an_hour_count_and_rates_before_and_after(database: Database, world: World) -> None:
    deploy(database, "r2", now=world.at(10))
    for fingerprint, hours in (("before", 9.9), ("soon", 10.5), ("late", 11.5)):
        world.group(fingerprint, hours, title=f"{fingerprint}: lost")
        world.errors(fingerprint, hours, n=3)
    world.group("elsewhere", 10.5)
    world.errors("elsewhere", 10.5, service="worker")
    world.minute(9.5, n=100, errors=1)
    world.minute(10.5, n=100, errors=8)

    (row,) = recent(database, 10)
    assert (row["new_groups"], row["new_titles"]) == (1, ["soon: lost"])
    assert (row["errors_before"], row["errors_after"]) == (3, 3)
    assert (row["rate_before"], row["rate_after"]) == (0.01, 0.08)


def test_the_command_records_it(cli: Callable[..., str], query: Query) -> None:
    cli("deploy", "--release", "a" * 40, "--service", "web")
    said = cli("deploy", "--release", "b" * 40, "--service", "web", "--url", "https://ci.example.com/7")

    assert said == "web bbbbbbb in production after aaaaaaa\n"
    assert query("SELECT release, actor, url FROM otel_guard.deployments ORDER BY at DESC LIMIT 1") == [
        {"release": "b" * 40, "actor": "ana", "url": "https://ci.example.com/7"}
    ]


def test_without_a_service_it_counts_for_all(cli: Callable[..., str]) -> None:
    body = json.loads(cli("deploy", "--release", "r1", "--json"))

    assert body["schema"] == "otel_guard.deploy.v1"
    assert (body["deployment"]["service"], body["deployment"]["environment"]) == (None, "production")


def test_without_a_release_it_says_what_to_write(cli: Callable[..., str]) -> None:
    assert "--release SHA" in cli("deploy", code=2)
