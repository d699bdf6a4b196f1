"""docs/escalation.md, slack.md, make.md, sentry-alerts.md, report.md: every example is good, and says what there is."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from otel_guard.alerts.channels.webhook import body, signature
from otel_guard.cli import COMMANDS
from otel_guard.core.incident import Incident, Notice
from otel_guard.core.record import CONTEXTS, SEVERITIES
from otel_guard.core.rules_builtin import RULES
from otel_guard.settings import load
from otel_guard.settings.alerting import DEFAULT_S, FROM_VARIABLES, alerting
from otel_guard.settings.rules import rules
from otel_guard.sinks.sentry_event import LEVELS

DOCS = Path(__file__).parents[3] / "docs"
NAMES = ("escalation", "slack", "make", "sentry-alerts", "report")
PAGES = {name: (DOCS / f"{name}.md").read_text(encoding="utf-8") for name in NAMES}
NOW = 1_795_469_400


def examples(kind: str) -> Iterator[Any]:
    for name, page in PAGES.items():
        for number, example in enumerate(re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL)):
            yield pytest.param(example, id=f"{name}-{number}")


def notice() -> Notice:
    incident = Incident(
        id="0193", state="firing", type="high_error_rate", rule="error_burst", dedup_key="k", severity="high"
    )
    return Notice(event="fired", incident=incident, at=datetime.fromtimestamp(NOW, UTC))


@pytest.mark.parametrize("example", list(examples("toml")))
def test_every_example_is_good(example: str, tmp_path: Path) -> None:
    (tmp_path / "otel_guard.toml").write_text(example)
    loaded = load({}, {}, tmp_path)
    environ = dict.fromkeys(re.findall(r'_env = "(\w+)"', example), "https://hook.example.com/x")

    assert loaded.settings.tables
    assert loaded.problems == ()
    assert rules(loaded.settings).problems == ()
    assert alerting(loaded.settings, environ).problems == ()


@pytest.mark.parametrize("name", NAMES)
def test_every_command_is_there(name: str) -> None:
    assert set(re.findall(r"(?:`|\$ )otel-guard ([a-z][a-z-]+)", PAGES[name])) <= set(COMMANDS)


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    pages = re.findall(r"\]\((?!https?:)([\w-]+\.md)", PAGES[name])

    assert [page for page in pages if not (DOCS / page).exists()] == []


def test_the_keys_of_a_message_stand_in_the_page() -> None:
    table = PAGES["make"].partition("| key | holds |")[2].partition("\n\n")[0]
    named = {key for cell in re.findall(r"^\| (.+?) \|", table, re.MULTILINE) for key in re.findall(r"`(\w+)`", cell)}

    assert named == set(json.loads(body(notice())))


def test_the_receiver_of_the_page_takes_ours_and_no_other() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGES["make"], re.DOTALL)
    space: dict[str, Any] = {}
    exec(example, space)
    is_ours, content = space["is_ours"], body(notice())
    header = signature("secret", NOW, content)

    assert is_ours("secret", header, content, NOW + 299.0)
    assert not is_ours("secret", header, content, NOW + 301.0)
    assert not is_ours("secret", header, content + b" ", NOW + 1.0)
    assert not is_ours("other", header, content, NOW + 1.0)
    assert not is_ours("secret", "nonsense", content, NOW + 1.0)


@pytest.mark.parametrize(("channel", "variable"), [(row[0], row[2]) for row in FROM_VARIABLES])
def test_the_variable_that_makes_a_channel_stands_in_its_page(channel: str, variable: str) -> None:
    assert f"export {variable}=" in PAGES[channel]


def test_the_default_chain_is_the_one_that_holds() -> None:
    chain = PAGES["escalation"].partition("## The chain by default")[2]
    told = re.findall(r"^ *(\d+) min ", chain, re.MULTILINE)

    assert [float(minutes) * 60 for minutes in told] == list(DEFAULT_S["critical"])


def test_the_tags_of_sentry_are_those_of_our_events() -> None:
    page = PAGES["sentry-alerts"]
    contexts = re.search(r"^\| `context` \| (.*) \|$", page, re.MULTILINE)

    assert contexts is not None
    assert set(re.findall(r"`(\w+)`", contexts[1])) == set(CONTEXTS)
    assert all(f"`{LEVELS[severity]}` for {severity}" in page.replace("is `", "`") for severity in SEVERITIES)


def test_the_rules_that_are_named_are_there() -> None:
    named = {word for page in PAGES.values() for word in re.findall(r"\[rule\.(\w+)\]", page)}

    assert named <= {rule.name for rule in RULES}
