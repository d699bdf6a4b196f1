"""Each runbook in the package: its rules, evidence and commands exist, its first steps fit into a message."""

import re
from pathlib import Path

import pytest

from otel_guard.cli import COMMANDS
from otel_guard.core.record import SEVERITIES
from otel_guard.core.rules_builtin import RULES
from otel_guard.monitor.evidence import EVIDENCE
from otel_guard.monitor.runbook import SHIPPED, STEP_LIMIT, STEPS, Runbook, parse, runbooks

IDS = (
    "ai-provider-failure",
    "cache-down",
    "database-slowdown",
    "email-failing",
    "heartbeat-missed",
    "high-error-rate",
    "key-rejected",
    "monitor-offline",
    "payment-processing",
    "queue-backlog",
    "webhook-lag",
    "webhook-silent",
)
SECTIONS = ["What you see", "Steps", "When it is over"]
DOCS = (Path(__file__).parents[3] / "docs" / "runbooks.md").read_text(encoding="utf-8")


def shipped(name: str) -> Runbook:
    path = SHIPPED / f"{name}.md"
    made = parse(path.read_text(encoding="utf-8"), path)
    assert made is not None
    return made


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_all_are_there() -> None:
    assert tuple(runbooks()) == IDS


def test_each_built_in_rule_is_named_by_exactly_one() -> None:
    named = [rule for each in runbooks().values() for rule in each.rules]

    assert sorted(named) == sorted(rule.name for rule in RULES)


@pytest.mark.parametrize("name", IDS)
def test_the_head_is_complete(name: str) -> None:
    made = shipped(name)

    assert (made.id, made.owner) == (name, "on-call")
    assert made.severity in SEVERITIES
    assert made.text.startswith(f"# {made.title}\n")


@pytest.mark.parametrize("name", IDS)
def test_the_sections_are_the_same_in_all(name: str) -> None:
    assert re.findall(r"^## (.+)$", shipped(name).text, re.MULTILINE) == SECTIONS


@pytest.mark.parametrize("name", IDS)
def test_the_first_steps_fit_into_a_message(name: str) -> None:
    path = SHIPPED / f"{name}.md"
    steps = shipped(name).steps

    assert [step.split(".")[0] for step in steps] == [str(number) for number in range(1, len(steps) + 1)]
    assert len(steps) >= STEPS
    assert max(len(step) for step in steps) < STEP_LIMIT  # none was cut
    assert max(map(len, path.read_text(encoding="utf-8").splitlines())) <= 130


@pytest.mark.parametrize("name", IDS)
def test_its_evidence_is_known(name: str) -> None:
    made = shipped(name)

    assert set(made.evidence) <= set(EVIDENCE)
    assert len(made.evidence) >= 3
    assert made.text.count("{{") == len(re.findall(r"^\{\{evidence\.\w+\}\}$", made.text, re.MULTILINE))


@pytest.mark.parametrize("name", IDS)
def test_the_commands_it_shows_exist(name: str) -> None:
    text = shipped(name).text

    assert set(re.findall(r"otel-guard ([a-z-]+)", text)) <= set(COMMANDS)
    assert set(re.findall(r"otel-guard runbook ([a-z-]+)", text)) <= set(IDS)


def test_all_evidence_is_used_and_explained() -> None:
    used = {name for each in runbooks().values() for name in each.evidence}

    assert used == set(EVIDENCE)
    assert {name for name in EVIDENCE if f"`{name}`" not in DOCS} == set()


def test_the_page_names_each_runbook_with_its_rules() -> None:
    rows = {each.id: ", ".join(each.rules) or "none: others lead to it" for each in runbooks().values()}

    assert [name for name, rules in rows.items() if f"| `{name}` | {rules} |" not in DOCS] == []
