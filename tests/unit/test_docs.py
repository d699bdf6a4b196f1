"""The reference pages say what the code says."""

from pathlib import Path

import pytest

import otel_guard
from docs.generate import HERE, pages
from otel_guard.cli import COMMANDS

PAGES = pages()
README = HERE.parent / "README.md"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_is_what_make_docs_writes(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == PAGES[path]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name: str) -> None:
    assert f"## {name}\n" in PAGES[HERE / "commands.md"]


@pytest.mark.parametrize("name", otel_guard.__all__)
def test_every_public_name_is_documented(name: str) -> None:
    assert name in PAGES[HERE / "api.md"]


@pytest.mark.parametrize("path", sorted(HERE.glob("*.md")), ids=lambda path: path.name)
def test_every_page_is_reached_from_the_readme(path: Path) -> None:
    assert f"docs/{path.name}" in README.read_text(encoding="utf-8")
