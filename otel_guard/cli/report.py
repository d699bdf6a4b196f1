"""`otel-guard report`: the weekly error review."""

import sys
from typing import Annotated, Any, Final

import msgspec
import typer

from otel_guard.cli._base import USAGE, Problem, console, emit, needed_dsn, now, plain
from otel_guard.core.week import Week, last_week, until_now, week_named, week_of
from otel_guard.monitor import report as weekly
from otel_guard.monitor.report_text import markdown, slack, terminal
from otel_guard.runtime.clock import SYSTEM
from otel_guard.store.queries import reading
from otel_guard.store.reports import Questions

FORMATS: Final = ("terminal", "md", "slack")
EACH_MS: Final = 10_000
ALL_S: Final = 60.0
_STYLES: Final = {"title": "bold", "dim": "dim"}


def command(
    *,
    week: Annotated[str | None, typer.Option(help="2026-W47, or `this`; else the last that is over.")] = None,
    form: Annotated[str, typer.Option("--format", metavar="FORMAT", help="terminal, md, slack.")] = "terminal",
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show the week: errors, kinds, slow queries, incidents with their times, deployments, the monitor.

    The monitor stores it on Monday at 08:00; what is not stored is counted now. `--format slack` writes the body that an
    incoming webhook takes: otel-guard report --format slack | curl -H content-type:application/json -d @- $SLACK_WEBHOOK_URL
    """
    if form not in FORMATS:
        raise Problem(f"--format {form} is none", f"write one of {', '.join(FORMATS)}", USAGE)
    wanted = _week(week)
    with reading(needed_dsn()) as database:
        found = weekly.find(database, wanted) if wanted.is_whole else None
        if found is None:
            ask = Questions(database, SYSTEM, each_ms=EACH_MS, all_s=ALL_S)
            found = weekly.build(database, ask, wanted, now())
    if json:
        emit("report", {"report": found})
    elif form == "md":
        sys.stdout.write(markdown(found))
    elif form == "slack":
        sys.stdout.write(f"{msgspec.json.encode(slack(found)).decode()}\n")
    else:
        _show(found)


def _week(given: str | None) -> Week:
    if given is None:
        return last_week(now())
    found = week_of(now().astimezone().date()) if given == "this" else week_named(given)
    if found is None:
        raise Problem(f"--week {given} is no week", f"write it as {last_week(now()).label}, or `this`", USAGE)
    if found.since > now():
        raise Problem(f"--week {given} is to come", f"write {last_week(now()).label}, or `this`", USAGE)
    return until_now(found, now())


def _show(found: dict[str, Any]) -> None:
    out = console()
    for line, style in terminal(found, out.width):
        out.print(plain(line, _STYLES.get(style, "")))
    if found["is_whole"]:
        out.print()
        out.print(plain("otel-guard report --week this shows the week that runs", "dim"))
