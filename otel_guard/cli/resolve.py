"""`otel-guard resolve`: it is over, because a person says so."""

from typing import Annotated, Final

import typer

from otel_guard.cli._acting import acting, actor, age, chosen, row, shown_id, writing
from otel_guard.cli._base import USAGE, Problem, console, emit, needed_dsn, plain, settings
from otel_guard.core.incident import RESOLUTIONS
from otel_guard.store.incidents import find

WORDS: Final = ", ".join(RESOLUTIONS)


def command(
    given_id: Annotated[str, typer.Argument(metavar="ID", help="Of an incident, as `otel-guard alerts` shows it.")],
    *,
    how: Annotated[str, typer.Option("--as", metavar="HOW", help=f"{WORDS}.")] = "fixed",
    by: Annotated[str | None, typer.Option(help="Who says so; else $USER.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """End it by hand; a rule that still finds the trouble opens it again. Only `fixed` and `wont_fix` count in the means."""
    if how not in RESOLUTIONS:
        raise Problem(f"--as {how} is no resolution", f"write one of {WORDS}", USAGE)
    given = settings()
    who = actor(by)
    with writing(needed_dsn(given)) as database:
        incident = chosen(database, given_id)
        is_ours = acting(given).resolve(database, incident.id, who, how)
        incident = next(iter(find(database, incident.id)), incident)
    if json:
        emit("resolve", {"incident": row(incident)})
        return
    as_what = (incident.resolution or "over").replace("_", " ")
    said = f"resolved by {who} as {as_what}" if is_ours else f"was resolved {age(incident.resolved_at)} ago, {as_what}"
    console().print(plain(f"{shown_id(incident.id)} {said}"))
