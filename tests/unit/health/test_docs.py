"""docs/health.md is right about the files it shows and the services it names."""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from otel_guard.core.dependency import SERVICES
from otel_guard.settings import load
from otel_guard.settings.checks import checks

PAGE = (Path(__file__).parents[3] / "docs" / "health.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("example", re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))
def test_every_toml_example_makes_its_checks(example: str) -> None:
    tables = tomllib.loads(example)
    variables = re.findall(r'"([A-Z_]+)"', example)
    addresses = {"DATABASE_URL": "postgresql://x@h/d", "REDIS_URL": "redis://h"}
    settings = msgspec.structs.replace(load({}, {}).settings, tables=tables)
    given = checks(settings, {name: addresses.get(name, "k" * 20) for name in variables})

    assert given.problems == ()
    assert [name for name in tables["check"] if getattr(given, name) is None] == []


@pytest.mark.parametrize("example", re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
def test_every_python_example_compiles(example: str) -> None:
    assert compile(example, "docs/health.md", "exec")


def test_every_service_is_named() -> None:
    assert [name for name in SERVICES if f"`{name}`" not in PAGE] == []


def test_the_body_has_no_key_that_the_page_does_not_name(world: Any) -> None:
    world.look()
    body = world.health.body()

    assert [
        key for key in [*body, *body["metrics"]] if f"`{key}" not in PAGE and key not in {"services", "metrics"}
    ] == []
