"""A rule of the user: `[rule.NAME]` with a source (operations.md, section 3.2)."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, get_args

from msgspec import Struct

from otel_guard.core.record import CONTEXTS, SEVERITIES
from otel_guard.core.rule import Hours, Measure, Rule, Source
from otel_guard.settings.table import Table, any_of

SOURCES: Final[tuple[Source, ...]] = get_args(Source)
KEYS: Final = (
    *("source", "query", "where", "measure", "above", "below", "clear"),
    *("window", "for", "severity", "hours", "least", "enabled"),
)
LIMITS: Final = ("above", "below")
_MEASURES: Final[tuple[Measure, ...]] = get_args(Measure)
_TIMES: Final[tuple[Measure, ...]] = ("p50_ms", "p95_ms", "p99_ms")
_COMMON: Final = ("context", "system", "operation", "route", "service", "environment")
_STILL: Final = 12  # of a window this part shows whether it goes on
_CLEAR: Final = 0.8
_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", re.ASCII)
_DAY_MIN: Final = 24 * 60


class Kind(Struct, frozen=True):
    """What a source can be asked."""

    where: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = ("count",)
    has_window: bool = True
    lowest: float = 0.0


KINDS: Final[Mapping[Source, Kind]] = {
    "errors": Kind((*_COMMON, "severity", "error_type", "error_class", "fingerprint")),
    "calls": Kind((*_COMMON, "name"), ("count", "rate", *_TIMES)),
    "slow_calls": Kind((*_COMMON, "type", "table_name"), ("count", *_TIMES)),
    "health": Kind(("name",), has_window=False),
    "queue": Kind(("name",), has_window=False),
    "sql": Kind(has_window=False, lowest=float("-inf")),
}
# Where the source itself is wrong nothing more is said of what it can be asked.
_ANY: Final = Kind((*_COMMON, "name", "severity", "type"), _MEASURES, lowest=float("-inf"))


def own_rule(name: str, table: Table) -> Rule:
    """Read the rule *name*; it holds only if *table* has no problems then."""
    guesses = table.known(KEYS)
    source = table.one_of("source", SOURCES, "source")
    kind = KINDS[source] if source else _ANY
    measure: Measure = table.one_of("measure", _MEASURES, "measure") or "count"
    if source:
        _fits(table, source, kind, measure)
    elif "source" not in table.values:
        table.problem("source", "missing", f"write {any_of(SOURCES)}")
    above, below = limits(table, measure, kind.lowest)
    if not set(LIMITS) & {*table.values, *guesses}:
        table.problem("above", "missing", "write above or below")
    is_counted = kind.has_window and above is not None
    window_s = table.duration("window", least=1) or 300.0
    return Rule(
        name=name,
        kind="custom",
        type=name,
        severity=table.one_of("severity", SEVERITIES, "severity") or "medium",
        above=above,
        below=below,
        window_s=window_s,
        still_s=window_s / _STILL if is_counted else 0.0,
        for_s=table.duration("for") or 0.0,
        clear=clear(table, above, below, lowest=kind.lowest),
        least=table.number("least") or 0.0,
        source=source,
        where=_where(table, kind),
        measure=measure,
        query=table.text("query"),
        hours=hours(table),
        is_enabled=table.flag("enabled") is not False,
        is_builtin=False,
    )


def limits(table: Table, measure: Measure, lowest: float = 0.0) -> tuple[float | None, float | None]:
    """Read `above` and `below`, of which one may be given."""
    if set(LIMITS) <= set(table.values):
        table.problem("below", "above is given too", "leave one of them out")
        return None, None
    values = {key: table.number(key, least=lowest) for key in LIMITS}
    for key, value in values.items():
        if value is not None and measure == "rate" and value > 1:
            table.problem(key, f"{value:g} is not a rate", f"write {value / 100:g} for {value:g} %")
    if values["below"] == 0 == lowest:
        table.problem("below", "nothing is below 0", "write 1 for: none at all")
    return values["above"], values["below"]


def clear(table: Table, above: float | None, below: float | None, *, lowest: float = 0.0) -> float | None:
    """Read `clear`, else 0.8 of *above*, else *below*."""
    given = table.number("clear", least=lowest)
    if given is None:
        return below if above is None else above * _CLEAR if above >= 0 else above / _CLEAR
    if above is not None and given > above:
        table.problem("clear", f"{given:g} is over above", f"write {above:g} or less")
    if below is not None and given < below:
        table.problem("clear", f"{given:g} is under below", f"write {below:g} or more")
    return given


def hours(table: Table) -> Hours | None:
    """Read `hours`, such as 08:00-22:00; 22:00-06:00 is over midnight."""
    value = table.values.get("hours")
    if value is None:
        return None
    found = _HOURS.fullmatch(value.strip()) if isinstance(value, str) else None
    start, end = (_minutes(found[1], found[2]), _minutes(found[3], found[4])) if found else (0, 0)
    if start != end:
        return Hours(start, end)
    table.problem("hours", f"{table.shown(value)} is not a time of the day", 'write "08:00-22:00"')
    return None


def _minutes(hour: str | None, minute: str | None) -> int:
    return int(hour) * 60 + int(minute) if hour and minute else _DAY_MIN


def _fits(table: Table, source: Source, kind: Kind, measure: Measure) -> None:
    """Say what *source* cannot be asked."""
    if source == "sql" and "query" not in table.values:
        table.problem("query", "missing", "write the statement that gives one number")
    if source != "sql" and "query" in table.values:
        table.problem("query", f"source {source} has none", 'write source = "sql", or leave it out')
    if measure not in kind.measures:
        table.problem("measure", f"{measure} cannot be had from {source}", _measures(kind.measures))
    if "window" in table.values and not kind.has_window:
        table.problem("window", f"source {source} is the value of the moment", "leave it out, or write for")
    if "where" in table.values and not kind.where:
        table.problem("where", f"source {source} has none", "write the condition into the query")


def _measures(measures: Sequence[Measure]) -> str:
    return f"write {' or '.join(measures)}" if len(measures) > 1 else "leave it out"


def _where(table: Table, kind: Kind) -> dict[str, str]:
    given = table.values.get("where")
    if given is None or not kind.where:
        return {}
    if not isinstance(given, Mapping):
        table.problem("where", f"{table.shown(given)} is not a table", 'write { context = "payment" }')
        return {}
    inner = Table(f"{table.path}.where", given)
    inner.known(kind.where)
    closed = {"context": CONTEXTS, "severity": SEVERITIES}
    found = {
        key: inner.one_of(key, closed[key], key) if key in closed else inner.text(key)
        for key in given
        if key in kind.where
    }
    table.adopt("where", inner.problems)
    return {key: value for key, value in found.items() if value is not None}
