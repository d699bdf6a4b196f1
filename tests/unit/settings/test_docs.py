"""docs/settings.md says what the settings are."""

import re
import tomllib
from pathlib import Path

import pytest

from docs.generate import HERE as DOCS
from docs.reference_settings import text
from otel_guard.settings import load
from otel_guard.settings.tree import rows

PAGE = DOCS / "settings.md"
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("name", [row.name for row in rows()])
def test_every_setting_is_documented_with_its_variable(name: str) -> None:
    row = next(row for row in rows() if row.name == name)

    assert f"| `{name}` | `{row.variable}` |" in text()
    assert row.doc.endswith(".")


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_page_is_good(example: str, tmp_path: Path) -> None:
    (tmp_path / "otel_guard.toml").write_text(example)

    assert tomllib.loads(example)
    assert load({}, {}, tmp_path).problems == ()


def test_every_link_between_the_pages_leads_somewhere() -> None:
    pages = [DOCS.parent / "README.md", DOCS.parent / "CHANGELOG.md", *DOCS.glob("*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())]

    assert [(page.name, link) for page, link in links if not (page.parent / link).exists()] == []


def test_every_variable_that_a_page_names_is_a_setting_or_known() -> None:
    others = {"OTEL_GUARD_CONFIG", "OTEL_GUARD_DNS"}  # the second is misspelt on purpose
    known = {row.variable for row in rows()} | others
    pages = [DOCS.parent / "README.md", *DOCS.glob("*.md")]
    named = {name for page in pages for name in re.findall(r"OTEL_GUARD_[A-Z_]*[A-Z]", page.read_text())}

    assert named - known == set()
