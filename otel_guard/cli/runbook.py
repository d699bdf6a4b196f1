"""`otel-guard runbook`: what to do, with what Postgres knows of it now."""

import difflib
import sys
from collections.abc import Iterable
from contextlib import closing, nullcontext
from os import environ
from typing import Annotated, Final

import typer
from msgspec import Struct
from rich.console import Console
from rich.markdown import Markdown
from rich.theme import Theme

from otel_guard.cli._base import USAGE, Problem, console, emit, plain, problem_of, settings, table
from otel_guard.core.exceptions import OtelGuardError
from otel_guard.core.incident import Incident
from otel_guard.monitor.evidence import EVIDENCE, NOT_AVAILABLE, Source, gathered
from otel_guard.monitor.runbook import Runbook, of_rule, runbooks
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.suppression import sending
from otel_guard.settings import Settings
from otel_guard.settings.checks import checks
from otel_guard.store.incidents import find
from otel_guard.store.inspections import inspector
from otel_guard.store.judging import asker
from otel_guard.store.lane import Lane

WIDEST: Final = 120  # longer lines are hard to read
ID: Final = 6
_HEX: Final = frozenset("0123456789abcdef-")
_THEME: Final = Theme({"markdown.code": "cyan", "markdown.h2": "bold underline"})


class Chosen(Struct, frozen=True):
    """A runbook, and the incident that led to it."""

    runbook: Runbook
    incident: Incident | None = None


def command(
    given: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Of a runbook; a rule's name or an incident's id does, too.")
    ] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """List the runbooks; with ID show one, its evidence filled in. Nothing in it is run."""
    if given is None:
        _list(runbooks().values(), as_json=json)
        return
    loaded = settings()
    lane, why = _lane(loaded)
    with closing(lane) if lane is not None else nullcontext():
        chosen = _chosen(given.strip(), lane, why)
        found = _evidence(chosen, loaded, lane, why)
    if json:
        emit("runbook", {"runbook": _row(chosen.runbook) | _filled(chosen, found)})
    else:
        _show(chosen.runbook.filled(found))


def _list(found: Iterable[Runbook], *, as_json: bool) -> None:
    if as_json:
        emit("runbooks", {"runbooks": [_row(each) for each in found]})
        return
    out, shown = console(), table("id", "title", "rules")
    shown.columns[0].no_wrap = True
    shown.expand = True
    shown.columns[1].ratio = shown.columns[2].ratio = 1
    for each in found:
        shown.add_row(plain(each.id), plain(each.title), plain(", ".join(each.rules), "dim"))
    out.print(shown)
    out.print()
    out.print(plain("otel-guard runbook ID shows one · ops/runbooks/*.md are your own", "dim"))


def _chosen(given: str, lane: Lane | None, why: str) -> Chosen:
    """By its id, by a rule, or by the end of an incident's id."""
    known = runbooks()
    if (made := known.get(given) or of_rule(given)) is not None:
        return Chosen(made)
    ending = given.lower()
    if len(ending) >= ID and set(ending) <= _HEX:
        if lane is None:
            raise Problem(f"incident {given} is in Postgres, and {why}", "", USAGE)
        with sending(), lane.transaction(is_read_only=True) as database:
            incidents = find(database, ending)
        if len(incidents) > 1:
            raise Problem(f"{len(incidents)} incidents end in {given!r}", "give more of its id", USAGE)
        if incidents:
            return _of_incident(incidents[0])
    names = [*known, *(rule for each in known.values() for rule in each.rules)]
    near = difflib.get_close_matches(ending, names, n=1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    raise Problem(f"there is no runbook {given!r}{meant}", "see `otel-guard runbook` for those there are", USAGE)


def _of_incident(incident: Incident) -> Chosen:
    rule = incident.rule or incident.type
    if (made := of_rule(rule)) is None:
        raise Problem(
            f"no runbook names the rule {rule} of {incident.id[-ID:]}", f"write one: ops/runbooks/{rule}.md", USAGE
        )
    return Chosen(made, incident)


def _lane(given: Settings) -> tuple[Lane | None, str]:
    """The connection, not open yet; else why there is none."""
    if given.dsn is None:
        return None, "OTEL_GUARD_DSN is not set: write postgresql://user@host:5432/database into it"
    try:
        return Lane(given.dsn, SYSTEM), ""
    except OtelGuardError as error:
        return None, str(problem_of(error))


def _evidence(chosen: Chosen, given: Settings, lane: Lane | None, why: str) -> dict[str, str]:
    runbook, incident = chosen.runbook, chosen.incident
    for name in sorted(set(runbook.evidence) - set(EVIDENCE)):
        _warn(f"{runbook.id}: there is no evidence {name!r}: docs/runbooks.md has the names")
    if lane is None:
        _warn(f"no evidence: {why}")
        return dict.fromkeys(runbook.evidence, NOT_AVAILABLE)
    watched = checks(given, environ).database
    store, inspect = lane, inspector(watched.url) if watched is not None else None
    with sending():
        try:
            with store.transaction(is_read_only=True):
                pass
        except OtelGuardError as error:
            _warn(f"no evidence: {problem_of(error)}")
            return dict.fromkeys(runbook.evidence, NOT_AVAILABLE)
        return gathered(
            runbook.evidence,
            Source(
                store=lambda statement_ms: asker(store, statement_ms=statement_ms),
                watched=None if inspect is None else lambda _statement_ms: inspect,
            ),
            SYSTEM,
            service=incident.service if incident is not None else None,
            environment=incident.environment if incident is not None else None,
        )


def _show(text: str) -> None:
    """Rendered on a terminal, as it is elsewhere."""
    out = console()
    if not out.is_terminal:
        sys.stdout.write(text)
        return
    title, _, rest = text.removeprefix("# ").partition("\n")
    wide = Console(highlight=False, theme=_THEME, width=min(out.width, WIDEST))
    wide.print(plain(f"{title}\n", "bold"))
    wide.print(Markdown(rest, hyperlinks=False))


def _row(runbook: Runbook) -> dict[str, object]:
    return {
        "id": runbook.id,
        "title": runbook.title,
        "rules": list(runbook.rules),
        "severity": runbook.severity,
        "owner": runbook.owner,
        "steps": list(runbook.steps),
    }


def _filled(chosen: Chosen, found: dict[str, str]) -> dict[str, object]:
    incident = chosen.incident.id if chosen.incident is not None else None
    return {"incident_id": incident, "evidence": found, "text": chosen.runbook.filled(found)}


def _warn(line: str) -> None:
    sys.stderr.write(f"otel-guard: {line}\n")
