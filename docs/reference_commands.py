"""The page of all commands, from their own help."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

import typer
from typer.main import get_command

from otel_guard.cli import COMMANDS

HEAD: Final = """\
# Commands

`OTEL_GUARD_DSN` names the Postgres; `otel_guard.toml` is read from the working folder, or from `$OTEL_GUARD_CONFIG`. Ids are
shown by their last 6 characters, fingerprints by their first, and taken like that. Exit codes: 0 fine, 1 problem found, 2
usage or configuration, 69 Postgres does not answer. With `--json` a command prints one object whose `schema` is
`otel_guard.<name>.v1`; of a problem too.

<!-- Written by `make docs` from the commands' own help. -->
"""
WIDTH: Final = 100


def text() -> str:
    """Return the whole page."""
    return HEAD + "".join(_sections())


def _sections() -> Iterator[str]:
    rows = "\n".join(f"| [`{name}`](#{name}) | {does} |" for name, does in COMMANDS.items())
    yield f"\n| command | |\n|---|---|\n{rows}\n"
    for name, does in COMMANDS.items():
        yield f"\n## {name}\n\n{does}.\n\n```text\n{_help(name)}\n```\n"


def _help(name: str) -> str:
    module: Any = import_module(f"otel_guard.cli.{name.replace('-', '_')}")
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    settings = getattr(module, "CONTEXT_SETTINGS", None)
    app.command(name, context_settings=settings)(module.command)
    command = get_command(app)
    shape: dict[str, Any] = {"terminal_width": WIDTH, "max_content_width": WIDTH}
    with command.make_context(f"otel-guard {name}", [], resilient_parsing=True, **shape) as context:
        lines = command.get_help(context).splitlines()
    return "\n".join(line.rstrip() for line in lines).strip()
