"""`otel-guard drain`: deliver the journals that dead processes left behind."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from otel_guard.cli._base import FAILED, USAGE, Problem, console, emit, needed_dsn, plain, settings
from otel_guard.journal.adoption import AdoptionResult
from otel_guard.monitor.leftovers import deliver, folders
from otel_guard.store.queries import reading


def command(
    *,
    from_dir: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="A journal folder; else all of this Postgres.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Deliver them now; what a living process holds is its own. Exit 1 if anything is left."""
    given = settings()
    dsn = needed_dsn(given)
    found = folders(given, dsn) if from_dir is None else [_existing(from_dir)]
    with reading(dsn):  # away, or without the schema: said at once
        pass
    done = deliver(given, dsn, found, _say)
    if json:
        names = ("journals", "records", "delivered", "quarantined", "dropped", "left")
        emit("drain", {name: getattr(done, name) for name in names})
    else:
        console().print(plain(_line(done)))
    if done.left:
        raise typer.Exit(FAILED)


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise Problem(f"{folder} is no folder", "name one that holds journals (*.seg)", USAGE)
    return folder


def _line(done: AdoptionResult) -> str:
    parts = [f"{done.records} records", f"{done.left} left"]
    parts += [f"{n} {name}" for name, n in (("quarantined", done.quarantined), ("dropped", done.dropped)) if n]
    return ", ".join(parts) + (f": {done.problem}" if done.left and done.problem else "")


def _say(line: str) -> None:
    sys.stderr.write(f"otel-guard: {line}\n")
