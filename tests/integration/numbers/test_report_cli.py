"""`otel-guard report` and `otel-guard metrics` as people see them."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from otel_guard.cli import execute
from otel_guard.cli._base import now
from otel_guard.core.week import last_week
from otel_guard.monitor.report_text import slack
from tests.integration.numbers.world import World

Cli = Callable[..., str]
LONG = "ValueError: `<!channel>` & *bold* a title | that is longer than any line " + "x" * 300


@pytest.fixture
def cli(dsn: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.setenv("OTEL_GUARD_DSN", dsn)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)

    def said(*arguments: str, code: int = 0) -> str:
        assert execute(arguments) == code
        captured = capsys.readouterr()
        return captured.out or captured.err

    return said


@pytest.fixture
def full(query: Callable[..., list[dict[str, object]]]) -> World:
    """The last week that is over, with something of everything, much of it too long."""
    world = World(query, last_week(now()).since)
    for number in range(30):
        world.group(f"{number:02}{'f' * 14}", number, title=f"{number} {LONG}", severity="critical")
        for user in range(3):
            world.errors(f"{number:02}{'f' * 14}", number, n=40, user=f"u{user}")
        world.slow(number, query_text=f"SELECT {number}, " + "column, " * 60)
        world.repeated(number, 48, operation=f"SELECT {number} " + "column, " * 60)
        world.incident(number, message=LONG, note=LONG, rule=f"a_rule_with_a_long_name_{number}")
        world.deployed(number, f"{number:040x}")
    world.group("0" * 16, -100, title=LONG)
    world.errors("0" * 16, -100)
    world.heartbeat(150, name="monitor", instance="ops:1", kind="monitor", period_s=15)
    return world


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("columns", [80, 140])
def test_no_line_is_wider_than_the_terminal(cli: Cli, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = cli("report").splitlines()

    assert [line for line in lines if len(line) > columns] == []
    assert lines[0].startswith("3,600 errors")


@pytest.mark.usefixtures("full")
def test_slack_is_within_its_limits_and_calls_nobody(cli: Cli) -> None:
    body = slack(json.loads(cli("report", "--json"))["report"])
    texts = [block["text"]["text"] for block in body["blocks"]]

    assert len(body["blocks"]) <= 50
    assert len(texts[0]) <= 150
    assert max(map(len, texts)) <= 3000
    assert sum(map(len, texts)) + len(body["text"]) <= 10_000
    assert not any("<!channel>" in text for text in (*texts, body["text"]))
    assert json.loads(cli("report", "--format", "slack")) == body


@pytest.mark.usefixtures("full")
def test_markdown_has_whole_tables_whatever_a_title_holds(cli: Cli) -> None:
    text = cli("report", "--format", "md")
    tables = [block.splitlines() for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)]

    assert len(tables) >= 5
    for rows in tables:
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1, rows[0]


@pytest.mark.usefixtures("full")
def test_json_is_the_report_alone(cli: Cli) -> None:
    body = json.loads(cli("report", "--json"))

    assert body["schema"] == "otel_guard.report.v1"
    assert set(body) == {"schema", "report"}


@pytest.mark.parametrize("arguments", [("report",), ("report", "--week", "this"), ("metrics",), ("metrics", "email")])
def test_where_there_is_nothing_it_says_what_will_come(cli: Cli, arguments: tuple[str, ...]) -> None:
    said = cli(*arguments)

    assert "None" not in said.replace("None.", "").replace("None recorded", "")
    assert re.search(r"otel-guard|makes them|round your handler", said)


@pytest.mark.parametrize(
    ("arguments", "do"),
    [
        (("--week", "2026-W99"), "write it as"),
        (("--week", "2099-W01"), "write "),
        (("--format", "pdf"), "terminal, md, slack"),
    ],
)
def test_what_it_cannot_do_it_says(cli: Cli, arguments: tuple[str, ...], do: str) -> None:
    assert do in cli("report", *arguments, code=2)


@pytest.fixture
def measured(query: Callable[..., list[dict[str, object]]]) -> None:
    world = World(query, now() - timedelta(hours=1))
    email: dict[str, Any] = {"name": "email.client.operation.duration", "context": "email", "operation": "send"}
    world.minute(0, n=412, errors=3, seconds=0.3, system="resend", **email)
    webhook: dict[str, Any] = {"context": "payment", "system": "stripe", "operation": "process charge.refunded"}
    world.minute(0, n=40, errors=1, seconds=0.2, name="payment.webhook.process.duration", **webhook)
    world.minute(0, n=40, seconds=4000.0, name="payment.webhook.lag", **webhook)
    world.slow(0, 1500)


@pytest.mark.usefixtures("measured")
def test_figures_are_a_line_each(cli: Cli) -> None:
    lines = [line.split() for line in cli("metrics").splitlines()]

    assert ["send", "resend", "412", "99.3", "%", "300", "ms", "300", "ms", "300", "ms"] in lines
    assert ["charge.refunded", "stripe", "40", "97.5", "%", "200", "ms", "200", "ms", "200", "ms"] in lines
    assert ["charge.refunded", "stripe", "40", "67", "min", "67", "min", "67", "min"] in lines
    assert ["SELECT", "orders", "postgresql", "1", "1.5", "s", "1.5", "s", "1.5", "s"] in lines


@pytest.mark.usefixtures("measured")
def test_figures_have_the_keys_of_the_interface(cli: Cli) -> None:
    body = json.loads(cli("metrics", "resend", "--json"))

    assert body["schema"] == "otel_guard.metrics.v1"
    (row,) = body["metrics"]
    assert list(row) == ["name", "context", "system", "operation", "n", "errors", "avg", "p95", "max"]
    assert (row["n"], row["errors"], row["avg"], row["max"]) == (412, 3, pytest.approx(0.3), 0.3)


@pytest.mark.usefixtures("measured")
def test_older_minutes_are_left_out(cli: Cli) -> None:
    assert json.loads(cli("metrics", "--since", "30m", "--json"))["metrics"] == []
