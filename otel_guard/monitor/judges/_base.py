"""What judges share: the times of a window, the state that follows from a value, words."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

from msgspec import Struct

from otel_guard.core import semconv
from otel_guard.core.rule import Finding, Hours, Moment, Rule, State, severity_of
from otel_guard.core.rule_words import limit

Row = Mapping[str, Any]
Ask = Callable[[str, Mapping[str, object]], list[dict[str, Any]]]

LONGEST_GAP_S: Final = 3600.0  # what is older was for the last cycle to say
_DAYS_30_S: Final = 30 * 86_400.0
_DAY_MIN: Final = 1440
_UNITS: Final = ((86_400, "day"), (3600, "hour"), (60, "minute"))
_PLAIN_HOURS: Final = 48
_SECOND_MS: Final = 1000
_MINUTES_S: Final = 120


class Reading(Struct, frozen=True, kw_only=True):
    """What was counted of one service."""

    value: float
    samples: float | None = None  # compared with the rule's `least`
    goes_on: bool = True  # the trouble did not end before the last moments
    must_end: bool = False  # it is good only when it no longer goes on
    is_absence: bool = False  # too few of what should happen


def times(rule: Rule, moment: Moment) -> dict[str, datetime]:
    """Parameters of a window: `since`, `until`, `recent` of its end, `reach` of the windows that no cycle judged."""
    gap_s = min(moment.gap_s, LONGEST_GAP_S)
    return {
        "since": ago(moment, rule.window_s),
        "until": moment.now,
        "recent": ago(moment, max(rule.still_s, moment.gap_s)),
        # A daemon's rhythm needs no look back; a cron job's does, or a burst between two runs is missed.
        "reach": ago(moment, gap_s if gap_s > rule.window_s / 10 else 0),
    }


def ago(moment: Moment, seconds: float) -> datetime:
    """*seconds* before *moment*, at most 30 days."""
    return moment.now - timedelta(seconds=min(max(seconds, 0.0), _DAYS_30_S))


def state_of(rule: Rule, moment: Moment, reading: Reading) -> State:
    """Bad: beyond the limit and going on, where that may be judged; clear: good again; else still."""
    enough = reading.samples is None or reading.samples >= rule.least
    if enough and reading.goes_on and is_beyond(rule, reading.value) and _may_judge(rule, moment, reading):
        return "bad"
    return "clear" if _is_good(rule, reading) else "still"


def is_beyond(rule: Rule, value: float) -> bool:
    """Whether *value* is over `above`, or under `below`."""
    if rule.above is not None:
        return value > rule.above
    return rule.below is not None and value < rule.below


def within(hours: Hours, now: datetime, window_s: float = 0.0, zone: tzinfo | None = None) -> bool:
    """Whether *now*, and the *window_s* before, lie in *hours* of *zone* (None: the machine's).

    A window longer than the hours never does: then *now* decides.
    """
    local = now.astimezone(zone)
    elapsed = (local.hour * 60 + local.minute - hours.start) % _DAY_MIN + local.second / 60
    length = (hours.end - hours.start) % _DAY_MIN or _DAY_MIN
    return elapsed < length and (elapsed >= window_s / 60 or window_s / 60 >= length)


def finding(rule: Rule, state: State, value: float | None = None, **fields: Any) -> Finding:
    """Make a Finding with the rule's limit and the severity that *value* has; *fields* replace."""
    known: dict[str, Any] = {"value": value, "threshold": limit(rule), "severity": _severity(rule, value)}
    return Finding(rule=rule.name, state=state, **(known | fields))


def whose(row: Row) -> dict[str, Any]:
    """Service and environment of a row; those of a plain INSERT may be missing."""
    return {"service": row.get("service") or "", "environment": row.get("environment") or ""}


def place(given: object) -> str | None:
    """`shop/orders.py:88` of a row's `metadata.place`."""
    if not isinstance(given, Mapping) or not given.get(semconv.CODE_FILE_PATH):
        return None
    line = given.get(semconv.CODE_LINE_NUMBER)
    return f"{given[semconv.CODE_FILE_PATH]}:{line}" if line else str(given[semconv.CODE_FILE_PATH])


def last(seconds: float) -> str:
    """`last 5 minutes`, `last hour`, `last 90 seconds`."""
    for size, name in _UNITS:
        n, rest = divmod(round(seconds), size)
        if n and not rest and (name != "day" or n * 24 >= _PLAIN_HOURS):
            return f"last {name}" if n == 1 else f"last {n} {name}s"
    return f"last {round(seconds)} seconds"


def counted(n: float, one: str, many: str | None = None) -> str:
    """`1 error`, `37 errors`."""
    return f"{plain(n)} {one if n == 1 else many or one + 's'}"


def percent(rate: float) -> str:
    """`8 %`, `12.5 %`."""
    return f"{plain(round(rate * 100, 1))} %"


def took(milliseconds: float) -> str:
    """`800 ms`, `6.2 s`, `7 min`."""
    if milliseconds < _SECOND_MS:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / _SECOND_MS
    return f"{plain(round(seconds, 1))} s" if seconds < _MINUTES_S else span(seconds)


def span(seconds: float) -> str:
    """`45 s`, `12 min`, `5 h`, `3 d`, rounded: for people."""
    for size, name, least in ((86_400, "d", 2), (3600, "h", 2), (60, "min", 2)):
        if seconds >= size * least:
            return f"{round(seconds / size)} {name}"
    return f"{round(seconds)} s"


def plain(value: float) -> str:
    """As people write it: no exponent, at most 4 digits behind the point."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def utc(at: datetime) -> datetime:
    """*at* as aware UTC."""
    return at.astimezone(UTC)


def _severity(rule: Rule, value: float | None) -> Any:
    """A step on a success rate stands on the share that failed."""
    if value is not None and rule.below is not None:
        return severity_of(rule, 1 - value) if rule.measure == "rate" else rule.severity
    return severity_of(rule, value)


def _may_judge(rule: Rule, moment: Moment, reading: Reading) -> bool:
    window_s = rule.window_s if reading.is_absence else 0.0
    if rule.hours is not None and not within(rule.hours, moment.now, window_s):
        return False
    if not reading.is_absence:
        return True
    return moment.watched_since is not None and moment.watched_since <= moment.now - timedelta(seconds=window_s)


def _is_good(rule: Rule, reading: Reading) -> bool:
    if reading.must_end and reading.goes_on:
        return False
    if rule.below is not None:
        return reading.value >= (rule.below if rule.clear is None else rule.clear)
    return not reading.goes_on if rule.clear is None else reading.value <= rule.clear
