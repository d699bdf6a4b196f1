"""ISO weeks in a time zone: Monday to Monday, and when the report on one is due."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

DUE: Final = time(8, 0)  # on Monday
_WEEK: Final = timedelta(days=7)
_LABEL: Final = re.compile(r"(\d{4})-?W(\d{1,2})", re.ASCII | re.IGNORECASE)


class Week(Struct, frozen=True, kw_only=True):
    """From *since* to before *until*, both UTC; *monday* is its first day."""

    label: str  # 2026-W47
    monday: date
    since: datetime
    until: datetime
    is_whole: bool = True


def week_of(day: date, zone: tzinfo | None = None) -> Week:
    """The week that *day* lies in; *zone* None: the machine's."""
    monday = day - timedelta(days=day.weekday())
    year, number, _ = monday.isocalendar()
    return Week(
        label=f"{year}-W{number:02}", monday=monday, since=_begin(monday, zone), until=_begin(monday + _WEEK, zone)
    )


def week_named(label: str, zone: tzinfo | None = None) -> Week | None:
    """The week of `2026-W47`; None: there is no such."""
    found = _LABEL.fullmatch(label.strip())
    try:
        return week_of(date.fromisocalendar(int(found[1]), int(found[2]), 1), zone) if found else None
    except ValueError:
        return None


def last_week(now: datetime, zone: tzinfo | None = None) -> Week:
    """The newest that is over."""
    return week_of(now.astimezone(zone).date() - _WEEK, zone)


def due_week(now: datetime, zone: tzinfo | None = None) -> Week:
    """The newest whose report should be there: from the Monday after it, 08:00, on."""
    local = now.astimezone(zone)
    is_early = local.weekday() == 0 and local.time() < DUE
    return week_of(local.date() - _WEEK * (2 if is_early else 1), zone)


def until_now(week: Week, now: datetime) -> Week:
    """*week* as far as it has gone."""
    return week if week.until <= now else replace(week, until=max(now, week.since), is_whole=False)


def before(week: Week, n: int, zone: tzinfo | None = None) -> Iterator[Week]:
    """The *n* weeks before *week*, the newest first, each as far as *week* itself has gone."""
    for number in range(1, n + 1):
        whole = week_of(week.monday - number * _WEEK, zone)
        if week.is_whole:
            yield whole
        else:
            cut = min(whole.since + (week.until - week.since), whole.until)
            yield replace(whole, until=cut, is_whole=False)


def _begin(day: date, zone: tzinfo | None) -> datetime:
    local = datetime.combine(day, time(0), zone)  # without a zone: the machine's, by astimezone
    return local.astimezone(UTC)
