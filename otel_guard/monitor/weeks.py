"""ISO weeks in the monitor's time zone: which one a name means, and which one is due."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from msgspec import Struct

DUE: Final = time(8)  # on Monday
_NAME: Final = re.compile(r"(\d{4})-?[Ww](\d{2})", re.ASCII)
_DAYS: Final = 7


class Week(Struct, frozen=True, order=True):
    """From Monday 00:00 to the next, local time; *since* and *until* in UTC."""

    name: str  # 2026-W47
    since: datetime
    until: datetime


def week_named(name: str, zone: tzinfo | None = None) -> Week | None:
    """The week of `2026-W47`; None: there is no such week. *zone* None: the machine's."""
    found = _NAME.fullmatch(name.strip())
    if found is None:
        return None
    try:
        return _week(date.fromisocalendar(int(found[1]), int(found[2]), 1), zone)
    except ValueError:
        return None


def week_of(at: datetime, zone: tzinfo | None = None) -> Week:
    """The week in which *at* lies."""
    local = at.astimezone(zone)
    return _week(local.date() - timedelta(days=local.weekday()), zone)


def earlier(week: Week, weeks: int, zone: tzinfo | None = None) -> Week:
    """The one that many *weeks* before."""
    monday = date.fromisocalendar(int(week.name[:4]), int(week.name[-2:]), 1)
    return _week(monday - timedelta(days=_DAYS * weeks), zone)


def due_week(now: datetime, zone: tzinfo | None = None) -> Week:
    """The last week whose report is due: from Monday 08:00 on the one that has just ended."""
    running = week_of(now, zone)
    monday = running.since.astimezone(zone).date()
    return earlier(running, 1 if now >= _at(monday, DUE, zone) else 2, zone)


def _week(monday: date, zone: tzinfo | None) -> Week:
    year, number, _ = monday.isocalendar()
    begin, end = (_at(day, time(), zone) for day in (monday, monday + timedelta(days=_DAYS)))
    return Week(f"{year}-W{number:02}", begin, end)


def _at(day: date, hour: time, zone: tzinfo | None) -> datetime:
    """Without a zone a naive time is one of the machine's, summer time included."""
    return datetime.combine(day, hour, zone).astimezone(UTC)
