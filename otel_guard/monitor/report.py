"""The weekly report as a plain dict: built, stored when it is due, found again."""

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

import msgspec

from otel_guard.core.week import Week, before, due_week
from otel_guard.monitor import report_sections as sections
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.ids import uuid7
from otel_guard.store import reports
from otel_guard.store.ask import Database
from otel_guard.store.reports import Questions

VERSION: Final = 1  # of the dict: what another wrote is counted anew
WEEKS: Final = 4  # before the one that is reported
# Of a monitor's transaction, which ends after 4 s; a command has more time.
EACH_MS: Final = 2000
ALL_S: Final = 2.5
_LATE: Final = timedelta(days=1)  # a first week that began so late counts as whole

Report = dict[str, Any]


def due_report(database: Database, now: datetime, zone: tzinfo | None = None) -> str | None:
    """Store the report on the last week if it is due (Monday 08:00) and missing; the week, None: nothing was to be done."""
    week = due_week(now, zone)
    if not reports.is_due(database, week.label, week.until):
        return None
    body = build(database, Questions(database, SYSTEM, each_ms=EACH_MS, all_s=ALL_S), week, now, zone)
    is_new = reports.store(database, uuid7(int(now.timestamp() * 1000)), week.label, body, now)
    return week.label if is_new else None


def find(database: Database, week: Week) -> Report | None:
    """The one that is stored, if nothing of it is missing."""
    body = reports.stored(database, [week.label]).get(week.label)
    is_usable = body is not None and body.get("version") == VERSION and not body.get("missing")
    return body if is_usable else None


def build(database: Database, ask: Questions, week: Week, now: datetime, zone: tzinfo | None = None) -> Report:
    """All five sections; times are ISO texts. What took too long is None, and stands in `missing`."""
    span: dict[str, object] = {"since": week.since, "until": week.until}
    earlier = list(before(week, WEEKS, zone))
    began = sections.began(ask)
    known = [each for each in earlier if began is not None and each.since + _LATE > began]
    errors = sections.errors(ask, span) | {"dropped": sections.dropped(ask, span)}
    groups = sections.groups(ask, span, known)
    errors["users"] = groups.pop("users")
    history = _history(database, ask, known)
    body = {
        "version": VERSION,
        "week": week.label,
        "since": week.since,
        "until": week.until,
        "is_whole": week.is_whole,
        "made_at": now,
        "recorded_since": began,
        "errors": errors | sections.compared(history),
        "groups": groups,
        "slow": sections.slow(ask, span, earlier[0]),
        "incidents": sections.incidents(ask, span),
        "deployments": sections.deployments(ask, span),
        "monitor": sections.monitor(ask, span, week, now),
        "missing": list(ask.missing),
    }
    plain: Report = msgspec.to_builtins(body)
    return plain


def _history(database: Database, ask: Questions, known: list[Week]) -> list[Mapping[str, Any]]:
    """Errors, rate and users of earlier weeks, the newest first; from their own reports, where these are there."""
    whole = [week.label for week in known if week.is_whole]
    bodies = reports.stored(database, whole)
    kept = {label: body["errors"] for label, body in bodies.items() if body.get("version") == VERSION}
    found: list[Mapping[str, Any]] = []
    for week in known:
        if week.label in kept:
            found.append(kept[week.label])
        else:
            span: dict[str, object] = {"since": week.since, "until": week.until}
            found.append(sections.errors(ask, span) | {"users": sections.users(ask, span)})
    return found
