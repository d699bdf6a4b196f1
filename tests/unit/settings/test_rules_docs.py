"""docs/rules.md: every example is good, and says what there is."""

import re
from pathlib import Path

import pytest

from otel_guard.core.record import CONTEXTS
from otel_guard.settings import load
from otel_guard.settings.alerting import alerting
from otel_guard.settings.checks import checks
from otel_guard.settings.rules import rules
from otel_guard.settings.rules_own import KEYS, KINDS

PAGE = (Path(__file__).parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
ENVIRON = dict.fromkeys(re.findall(r'_env = "(\w+)"', PAGE), "https://hook.example.com/x")


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_good(example: str, tmp_path: Path) -> None:
    (tmp_path / "otel_guard.toml").write_text(example)
    loaded = load({}, {}, tmp_path)

    assert loaded.settings.tables
    assert loaded.problems == ()
    assert rules(loaded.settings).problems == ()
    assert alerting(loaded.settings, ENVIRON).problems == ()
    assert checks(loaded.settings, ENVIRON).problems == ()


def test_every_source_stands_in_the_table_with_what_it_can_be_asked() -> None:
    rows = {
        name.strip("` "): {word.partition(" ")[0] for cell in cells for word in cell.replace("|", ",").split(", ")}
        for name, *cells in (
            line.strip("| ").split(" | ") for line in PAGE.splitlines() if re.match(r"\| `[a-z_]+` \|", line)
        )
    }

    assert set(rows) == {"source", *KINDS}
    for source, kind in KINDS.items():
        asked = {*kind.where, *(kind.measures if source != "sql" else ())}
        assert asked <= rows[source], source


@pytest.mark.parametrize("key", KEYS)
def test_every_key_has_an_example(key: str) -> None:
    assert any(re.search(rf"^{key} = ", example, re.MULTILINE) for example in EXAMPLES)


def test_the_contexts_of_the_examples_are_known() -> None:
    assert set(re.findall(r'context = "(\w+)"', PAGE)) <= set(CONTEXTS)
