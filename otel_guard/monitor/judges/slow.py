"""Rules that count slow calls."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from otel_guard.core.rule import Finding, Moment, Rule
from otel_guard.monitor.judges._base import (
    Ask,
    Reading,
    Row,
    counted,
    finding,
    is_beyond,
    last,
    place,
    state_of,
    times,
    took,
    whose,
)
from otel_guard.monitor.judges._where import described, filters, types, whole
from otel_guard.monitor.judges.errors import due, one_context

SLOW_QUERY_MS: Final = 1000.0
QUANTILES: Final = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}
_QUERY: Final = 2000


def judge_slow_queries(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """Queries slower than 1 s; those of `slow.database_ms` and more are in the table."""
    return _judge(rule, ask, moment, ["database_query"], SLOW_QUERY_MS)


def judge_slow_calls(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """A rule of the user over `slow_calls`."""
    return _judge(rule, ask, moment, types(rule.where), 0.0)


def _judge(rule: Rule, ask: Ask, moment: Moment, kinds: Sequence[str], over_ms: float) -> list[Finding]:
    asked = {
        **times(rule, moment),
        **filters(rule),
        "types": list(kinds),
        "over_ms": over_ms,
        "q": QUANTILES.get(rule.measure),
    }
    rows = ask("judge_slow", asked)
    if rule.below is not None and rule.measure == "count":
        return [_absence(rule, ask, moment, asked, rows)]
    made = [_finding(rule, ask, moment, asked, row) for row in rows]
    return [each for each in made if each is not None]


def _finding(rule: Rule, ask: Ask, moment: Moment, asked: Mapping[str, object], row: Row) -> Finding | None:
    readings = _readings(rule, row)
    if readings is None:
        return None
    fresh, now = readings
    is_fired = state_of(rule, moment, fresh) == "bad"
    reading = fresh if is_fired else now
    detail = _detail(ask, asked, row) if is_fired else {}
    return finding(
        rule,
        "bad" if is_fired else state_of(rule, moment, now),
        reading.value,
        **whose(row),
        message=_message(rule, reading.value, row["n"]),
        context=one_context([_context(str(kind)) for kind in _types(asked)]),
        started_at=row["first_at"],
        **detail,
    )


def _readings(rule: Rule, row: Row) -> tuple[Reading, Reading] | None:
    """What fires (of counts the fullest window since the last cycle), and what is now."""
    if rule.measure == "count":
        goes_on = row["recent"] > 0
        return Reading(value=row["n"], goes_on=goes_on), Reading(value=row["n_now"], goes_on=goes_on)
    if row["ms"] is None:
        return None
    goes_on = rule.above is None or (row["recent_ms"] is not None and row["recent_ms"] > rule.above)
    one = Reading(value=row["ms"], samples=row["n_now"], goes_on=goes_on)
    return one, one


def _detail(ask: Ask, asked: Mapping[str, object], row: Row) -> dict[str, Any]:
    found = ask(
        "judge_slow_detail",
        {**asked, "first_at": row["first_at"], "of_service": row["service"], "of_environment": row["environment"]},
    )
    queries = tuple(
        {
            "query": (each["query"] or "")[:_QUERY],
            "duration": round(each["ms"], 1),
            "table": each["table_name"],
            "place": place(each["place"]),
        }
        for each in found
    )
    return {"queries": queries, "release": found[0]["release"] if found else None}


def _absence(rule: Rule, ask: Ask, moment: Moment, asked: Mapping[str, object], rows: Sequence[Row]) -> Finding:
    value = sum(row["n_now"] for row in rows)
    return finding(
        rule,
        state_of(rule, moment, Reading(value=value, is_absence=True)),
        value,
        **whole(rule),
        message=_message(rule, value, value),
        started_at=due(rule, ask("judge_last_slow", asked), moment) if is_beyond(rule, value) else None,
    )


def _message(rule: Rule, value: float, n: float) -> str:
    if rule.kind == "slow_queries":
        return f"{counted(value, 'query', 'queries')} slower than {took(SLOW_QUERY_MS)} in {last(rule.window_s)}"
    if rule.measure == "count":
        said = counted(value, "slow call") if value else "no slow call"
        return f"{said}{described(rule)} in {last(rule.window_s)}"
    name = rule.measure.removesuffix("_ms")
    return f"{name} {took(value)} of {counted(n, 'slow call')}{described(rule)} in {last(rule.window_s)}"


def _types(asked: Mapping[str, object]) -> list[object]:
    kinds = asked["types"]
    return list(kinds) if isinstance(kinds, list) else []


def _context(kind: str) -> str:
    return "database" if kind == "database_query" else kind.removesuffix("_call")
