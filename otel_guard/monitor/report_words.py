"""How the report says numbers, shares, times and changes."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from otel_guard.monitor.judges._base import plain, span, took

UNKNOWN: Final = "?"
_SMALL: Final = 0.1
_DAY: Final = "%a %d %b"


def number(value: float | None) -> str:
    """`12,345`; `?`: not known."""
    if value is None:
        return UNKNOWN
    return f"{value:,.0f}" if value == int(value) or value >= 10 else f"{value:,.1f}"  # noqa: PLR2004


def counted(n: float | None, one: str, many: str | None = None) -> str:
    """`1 error`, `2 errors`."""
    return f"{number(n)} {one if n == 1 else many or one + 's'}"


def share(value: float | None) -> str:
    """`0.41 %`, `12.5 %`; empty: there was nothing to take it of."""
    if value is None:
        return ""
    percent = value * 100
    return f"{percent:.2f} %" if 0 < percent < _SMALL * 100 else f"{plain(round(percent, 1))} %"


def change(now: float | None, then: float | None) -> str:
    """`-18 %`; empty: there is nothing to compare with."""
    if now is None or not then:
        return ""
    return f"{(now / then - 1) * 100:+.0f} %"


def lasting(seconds: float | None) -> str:
    """`45 s`, `12 min`."""
    if seconds is None:
        return ""
    return f"{seconds:.1f} s" if 0 < seconds < 10 else span(seconds)  # noqa: PLR2004


def milliseconds(value: float | None) -> str:
    """`800 ms`, `6.2 s`."""
    return "" if value is None else took(value)


def at(text: str | None) -> datetime | None:
    """A moment of the report."""
    return None if text is None else datetime.fromisoformat(text)


def when(text: str | None) -> str:
    """`Tue 17 Nov 14:05`, UTC."""
    moment = at(text)
    return "" if moment is None else moment.astimezone(UTC).strftime(f"{_DAY} %H:%M")


def days(report: Mapping[str, Any]) -> str:
    """`Mon 16 Nov to Sun 22 Nov`, in local days."""
    since, until = at(report["since"]), at(report["until"])
    if since is None or until is None:
        return ""
    last = datetime.fromtimestamp(until.timestamp() - 1, UTC).astimezone()
    return f"{since.astimezone().strftime(_DAY)} to {last.strftime(_DAY)} {last.year}"


def listed(parts: Sequence[str]) -> str:
    """`a, b and c`."""
    if len(parts) < 2:  # noqa: PLR2004
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def proposed(setting: str, value: float) -> str:
    """A limit as the rule file takes it."""
    if setting != "for":
        return f"{setting} = {plain(value)}"
    minutes = int(value) // 60
    return f'for = "{minutes}m"'
