"""`otel-guard migrate`: create or update the schema."""

from typing import Annotated

import typer

from otel_guard.cli._base import console, emit, needed_dsn
from otel_guard.store.migrate import migrate


def command(*, json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
    """Apply what is missing; safe to run twice, and by several at once."""
    result = migrate(needed_dsn())
    if json:
        emit("migrate", {"applied": result.applied, "version": result.version})
        return
    out = console()
    for name in result.applied:
        out.print(f"  {name}", markup=False)
    done = f"applied {len(result.applied)}, now at" if result.applied else "nothing to do, at"
    out.print(f"{done} {result.version:04}", markup=False)
