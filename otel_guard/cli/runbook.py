"""`otel-guard runbook`: what to do, with live evidence."""

import os
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Annotated, Final

import typer
from rich.console import Console

from otel_guard.cli._base import FAILED, Problem, console, emit, plain, settings, severity, table
from otel_guard.core.exceptions import OtelGuardError
from otel_guard.monitor.evidence import EACH_MS, MISSING, gather
from otel_guard.monitor.runbook import OWN, Runbook, runbooks
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.suppression import sending
from otel_guard.settings import Settings
from otel_guard.settings.checks import checks
from otel_guard.store.incidents import database_now
from otel_guard.store.inspections import inspector
from otel_guard.store.judging import Ask, asker
from otel_guard.store.lane import Lane

WIDE: Final = 110
_ITEM: Final = re.compile(r"(\s{0,3}(?:- |\d+\. +))")
_CODE: Final = "    "


def command(
    given: Annotated[str | None, typer.Argument(metavar="ID", help="One of them, or a rule's name; else all.")] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """List the runbooks; with ID show one, with what Postgres knows of it now. Its commands are shown, never run.

    A file of the same id in ops/runbooks/ of the working folder replaces ours; one of front matter alone only sets values,
    such as rollback_command.
    """
    found = runbooks()
    if given is None:
        _list(list(found.values()), as_json=json)
        return
    made = found.get(given) or next((each for each in found.values() if given in each.rules), None)
    if made is None:
        raise Problem(f"no runbook {given!r}", f"write one of {', '.join(found)}", FAILED)
    evidence, why = _evidence(settings(), made)
    if json:
        emit("runbook", {"runbook": _facts(made) | {"evidence": evidence, "text": made.filled(evidence)}})
        return
    out = console()
    if why:
        out.print(plain(f"evidence is {MISSING}: {why}", "yellow"))
        out.print()
    _show(out, made.filled(evidence))


def wrapped(text: str, width: int) -> Iterator[str]:
    """Markdown at most *width* wide, but for its code."""
    paragraph: list[str] = []
    for line in (*text.splitlines(), ""):
        starts = not line.strip() or line.startswith(("#", _CODE)) or _ITEM.match(line) is not None
        if starts and paragraph:
            yield from _filled(paragraph, width)
            paragraph = []
        if line.startswith(("#", _CODE)) or not line.strip():
            yield line.rstrip()
        else:
            paragraph.append(line)


def _filled(lines: Sequence[str], width: int) -> list[str]:
    item = _ITEM.match(lines[0])
    begin = item[1] if item else re.match(r"\s*", lines[0])[0]  # type: ignore[index]
    body = " ".join(line.strip() for line in lines)[len(begin.lstrip()) :]
    return textwrap.wrap(
        body,
        width,
        initial_indent=begin,
        subsequent_indent=" " * len(begin),
        break_on_hyphens=False,
        break_long_words=False,
    )


def _show(out: Console, text: str) -> None:
    for line in wrapped(text.rstrip(), out.width):
        out.print(plain(line, "bold" if line.startswith("#") else ""), soft_wrap=True)


def _list(found: Sequence[Runbook], *, as_json: bool) -> None:
    if as_json:
        emit("runbook", {"runbooks": [_facts(each) for each in found]})
        return
    out = console()
    is_wide = out.width >= WIDE
    shown = table("id", "severity", "title", *(("rules",) if is_wide else ()))
    for each in found:
        is_own = OWN.name in each.path and not each.path.startswith("/")
        title = plain(each.title) + plain(" (yours)" if is_own else "", "dim")
        cells = [plain(each.id), severity(each.severity), title]
        shown.add_row(*cells, *((plain(", ".join(each.rules), "dim"),) if is_wide else ()))
    out.print(shown)
    out.print()
    out.print(plain("otel-guard runbook ID shows one with live evidence · yours: ops/runbooks/*.md", "dim"))


def _facts(made: Runbook) -> dict[str, object]:
    names = ("id", "title", "rules", "severity", "owner", "steps", "path")
    return {name: getattr(made, name) for name in names}


def _evidence(given: Settings, made: Runbook) -> tuple[Mapping[str, str], str]:
    """By name, and why there is none."""
    if not made.evidence:
        return {}, ""
    if given.dsn is None:
        return dict.fromkeys(made.evidence, MISSING), "OTEL_GUARD_DSN is not set"
    try:
        with closing(Lane(given.dsn, SYSTEM)) as lane, sending():
            with lane.transaction(is_read_only=True) as database:
                now = database_now(database)
            ask = asker(lane, statement_ms=EACH_MS)
            return gather(made.evidence, ask, _watched(given, ask), now), ""
    except OtelGuardError as error:
        return dict.fromkeys(made.evidence, MISSING), str(error)


def _watched(given: Settings, ask: Ask) -> Ask:
    """Asks the database of `[check.database]`, where there is one."""
    check = checks(given, os.environ).database
    return inspector(check.url) if check is not None else ask
