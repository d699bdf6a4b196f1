"""`otel-guard ack`: somebody is at it."""

from typing import Annotated

import typer

from otel_guard.cli._acting import acting, actor, age, chosen, row, shown_id, writing
from otel_guard.cli._base import FAILED, Problem, console, emit, needed_dsn, plain, settings
from otel_guard.store.incidents import find


def command(
    given_id: Annotated[str, typer.Argument(metavar="ID", help="Of an incident, as `otel-guard alerts` shows it.")],
    *,
    by: Annotated[str | None, typer.Option(help="Who is at it; else $USER.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Acknowledge it: its messages are not repeated; it stays open until the trouble ends."""
    given = settings()
    who = actor(by)
    with writing(needed_dsn(given)) as database:
        incident = chosen(database, given_id)
        is_ours = acting(given).acknowledge(database, incident.id, who)
        incident = next(iter(find(database, incident.id)), incident)
    if incident.state == "resolved":
        when = age(incident.resolved_at)
        raise Problem(f"{shown_id(incident.id)} is over since {when}", "there is nothing left to acknowledge", FAILED)
    if json:
        emit("ack", {"incident": row(incident)})
        return
    since = "" if is_ours else f", {age(incident.acknowledged_at)} ago"
    console().print(plain(f"{shown_id(incident.id)} acknowledged by {incident.acknowledged_by}{since}"))
