"""`otel-guard incident open TITLE`: what a customer or a colleague noticed before we did."""

import os
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Final

import typer

from otel_guard.cli._acting import acting, actor, deliver, row, shown_id, writing
from otel_guard.cli._base import USAGE, Problem, console, emit, needed_dsn, now, plain, settings
from otel_guard.core.incident import Opening
from otel_guard.core.record import SEVERITIES, Severity
from otel_guard.core.severity import valid_severity
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.ids import uuid7
from otel_guard.runtime.text import safe_text
from otel_guard.settings import Settings
from otel_guard.settings.identity import identity
from otel_guard.store.incidents import find, write_event

TYPE: Final = "manual"
TITLE_LIMIT: Final = 1000
UNNAMED: Final = "unknown_service"


def command(
    what: Annotated[str, typer.Argument(metavar="open", help="The word open.")],
    words: Annotated[list[str], typer.Argument(metavar="TITLE", help="What is wrong, in a line.")],
    *,
    level: Annotated[str, typer.Option("--severity", help="low, medium, high, critical.")] = "high",
    service: Annotated[str | None, typer.Option(help="Which one; else $OTEL_SERVICE_NAME.")] = None,
    started: Annotated[
        str | None, typer.Option(metavar="20:10", help="Since when, UTC; 2026-11-24T20:10 too; else now.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who opens it; else $USER.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Open an incident by hand: it alerts, is acknowledged, resolved and counted like any other."""
    title, severity = safe_text(" ".join(words).strip(), TITLE_LIMIT), valid_severity(level)
    if what != "open" or not title:
        raise Problem("otel-guard incident opens one", "write otel-guard incident open 'checkout is slow'", USAGE)
    if severity is None:
        raise Problem(f"--severity {level} is none", f"write one of {', '.join(SEVERITIES)}", USAGE)
    started_at = now() if started is None else since(started, now())
    given = settings()
    opening = _opening(given, title, severity, service, started_at)
    dsn = needed_dsn(given)
    with writing(dsn) as database:
        opened = acting(given).open(database, opening)
        write_event(database, opened.id, "opened", now(), actor=actor(by))
        (incident,) = find(database, opened.id)
    deliver(given, dsn, opened.id)
    if json:
        emit("incident", {"incident": row(incident)})
    else:
        console().print(plain(f"{shown_id(opened.id)} open"))


def since(text: str, at: datetime) -> datetime:
    """The last 20:10 before *at*, or a moment with its date; UTC unless it says another offset."""
    try:
        given: datetime | time = datetime.fromisoformat(text) if "-" in text else time.fromisoformat(text)
    except ValueError as error:
        raise Problem(f"--started {text} is no time", "write 20:10 or 2026-11-24T20:10, UTC", USAGE) from error
    if isinstance(given, time):
        found = datetime.combine(at.date(), given, given.tzinfo or UTC)
        return found if found <= at else found - timedelta(days=1)
    found = given if given.tzinfo else given.replace(tzinfo=UTC)
    if found > at:
        raise Problem(f"--started {text} is to come", "write when it began, UTC", USAGE)
    return found.astimezone(UTC)


def _opening(given: Settings, title: str, severity: Severity, service: str | None, started_at: datetime) -> Opening:
    """Each is one of its own: two people may open the same, and `resolve --as duplicate` one."""
    who = identity(given, os.environ)
    named = service or (who.service if who.service != UNNAMED else None)
    return Opening(
        type=TYPE,
        rule=None,
        dedup_key=f"{TYPE}:{who.environment}:{named or ''}:{uuid7(SYSTEM.now_ms())}",
        severity=severity,
        message=title,
        service=named,
        environment=who.environment,
        impact_started_at=started_at,
    )
