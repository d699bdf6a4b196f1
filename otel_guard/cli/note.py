"""`otel-guard note`: the cause of an incident, and what was done."""

from typing import Annotated

import typer

from otel_guard.cli._acting import acting, actor, chosen, row, shown_id, writing
from otel_guard.cli._base import USAGE, Problem, console, emit, needed_dsn, plain, settings
from otel_guard.store.incidents import find


def command(
    given_id: Annotated[str, typer.Argument(metavar="ID", help="Of an incident, open or over.")],
    words: Annotated[list[str], typer.Argument(metavar="TEXT", help="A line; stands in the weekly report.")],
    *,
    by: Annotated[str | None, typer.Option(help="Who writes; else $USER.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Add a line to the note of an incident."""
    text = " ".join(words).strip()
    if not text:
        raise Problem("the note is empty", "write otel-guard note ID 'the cause, and what was done'", USAGE)
    given = settings()
    who = actor(by)
    with writing(needed_dsn(given)) as database:
        incident = chosen(database, given_id)
        acting(given).note(database, incident.id, text, who)
        incident = next(iter(find(database, incident.id)), incident)
    if json:
        emit("note", {"incident": row(incident)})
    else:
        console().print(plain(f"{shown_id(incident.id)} noted by {who}"))
