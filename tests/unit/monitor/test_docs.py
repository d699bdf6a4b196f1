"""docs/monitor.md is right about settings, times and names."""

import re
import tomllib
from pathlib import Path

import pytest

from otel_guard.cli import COMMANDS
from otel_guard.core.rules_builtin import RULES
from otel_guard.monitor import away, cycle, daemon, lease, once
from otel_guard.settings import Settings
from otel_guard.settings.rules import rules
from otel_guard.settings.tree import rows

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "monitor.md").read_text(encoding="utf-8")


def test_every_setting_and_every_default_is_right() -> None:
    table = {row.name: row for row in rows()}
    named = re.findall(r"`((?:monitor|retention)\.\w+)`", PAGE)

    assert set(named) <= set(table)
    assert {f"{table[name].default} days" in PAGE for name in named if name.startswith("retention")} == {True}
    assert f"every {table['monitor.period_s'].default} seconds" in PAGE


def test_every_variable_is_there() -> None:
    known = {row.variable for row in rows()} | {"OTEL_GUARD_CONFIG"}

    assert set(re.findall(r"OTEL_GUARD_\w+", PAGE)) <= known


def test_every_command_rule_and_link_is_there() -> None:
    words = set(re.findall(r"otel-guard ([a-z][a-z-]+)", PAGE)) - {"run"}
    told = {"monitor_offline", "rule_error", "rules_invalid"}

    assert words - {"monitor"} <= set(COMMANDS)
    assert told <= {rule.name for rule in RULES}
    assert [link for link in re.findall(r"\]\(([\w-]+\.md)", PAGE) if not (DOCS / link).is_file()] == []


def test_the_times_are_those_of_the_code() -> None:
    assert f"at most {once.BUDGET_S:.0f} seconds" in PAGE
    assert f"within {daemon.TRY_S:.0f} seconds" in PAGE
    assert f"after at most {lease.TTL_S + daemon.TRY_S:.0f}" in PAGE
    assert f"more than {cycle.SLOW_S:.0f} seconds" in PAGE
    assert away.PATIENCE_S + 2 * daemon.TRY_S < 60


def test_the_number_of_rules_is_that_of_a_fresh_start() -> None:
    n = sum(rule.is_enabled for rule in rules(Settings()).rules)

    assert set(re.findall(r"(\d+) rules", PAGE)) == {str(n)}


@pytest.mark.parametrize("example", re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))
def test_every_toml_example_is_toml(example: str) -> None:
    assert tomllib.loads(example)


def test_the_keys_of_json_are_named() -> None:
    keys = ("rules", "fired", "resolved", "sent", "failed", "seconds", "leader")

    assert ", ".join(f"`{key}`" for key in keys) in PAGE
