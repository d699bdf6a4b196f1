"""Rules over the sums of all calls, failed or not."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from otel_guard.core.quantile import quantile
from otel_guard.core.record import Context
from otel_guard.core.rule import Finding, Moment, Rule
from otel_guard.monitor.judges._base import (
    Ask,
    Reading,
    Row,
    counted,
    finding,
    is_beyond,
    last,
    percent,
    state_of,
    times,
    took,
    whose,
)
from otel_guard.monitor.judges._where import REQUESTS, described, filters, names, whole
from otel_guard.monitor.judges.errors import due, one_context
from otel_guard.monitor.judges.slow import QUANTILES

MS: Final = 1000.0
ANY: Final = dict.fromkeys(("context", "system", "operation", "route", "service", "environment"))


def judge_requests(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """`error_rate` and `response_time`: of the requests that the application served."""
    rows = asked(rule, ask, moment, list(REQUESTS))
    if rule.below is not None and rule.measure == "count":
        return [_absence(rule, ask, moment, rows, list(REQUESTS))]
    return _findings(rule, moment, rows, "request", "api")


def judge_calls(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """A rule of the user over `calls`."""
    rows = asked(rule, ask, moment, names(rule))
    if rule.below is not None and rule.measure == "count":
        return [_absence(rule, ask, moment, rows, names(rule))]
    return _findings(rule, moment, rows, "call", one_context([rule.where.get("context")]))


def asked(
    rule: Rule, ask: Ask, moment: Moment, metrics: Sequence[str] | None, *, is_by_system: bool = False
) -> list[dict[str, Any]]:
    """The sums of *metrics* (None: all calls) in the rule's window."""
    return ask(
        "judge_calls",
        {
            **times(rule, moment),
            **filters(rule),
            "names": None if metrics is None else list(metrics),
            "is_by_system": is_by_system,
            "over_s": (rule.above or 0.0) / MS if rule.measure in QUANTILES else None,
        },
    )


def read(rule: Rule, row: Row) -> Reading | None:
    """The rule's measure of one row; None: there was no call."""
    if not row["n"]:
        return None
    if rule.measure == "count":
        return Reading(value=row["n"], goes_on=row["recent"] > 0)
    if rule.measure == "rate":
        recent = row["recent_errors"] / row["recent"] if row["recent"] else 0.0
        return Reading(value=row["errors"] / row["n"], samples=row["n"], goes_on=_lasts(rule, recent))
    q = QUANTILES[rule.measure]
    value = milliseconds(row["buckets"], q, row["highest"])
    recent_ms = milliseconds(row["recent_buckets"], q, row["recent_highest"])
    return Reading(value=value or 0.0, samples=row["n"], goes_on=_lasts(rule, recent_ms or 0.0))


def milliseconds(buckets: Sequence[int], q: float, highest: float) -> float | None:
    """A quantile of buckets in seconds."""
    found = quantile([int(n) for n in buckets], q, highest)
    return None if found is None else found * MS


def _lasts(rule: Rule, recent: float) -> bool:
    return rule.above is None or recent > rule.above


def _findings(rule: Rule, moment: Moment, rows: Iterable[Row], one: str, context: Context | None) -> list[Finding]:
    return [
        finding(
            rule,
            state_of(rule, moment, reading),
            reading.value,
            **whose(row),
            message=_message(rule, reading.value, row, one),
            context=context,
            started_at=_first(rule, row),
        )
        for row in rows
        if (reading := read(rule, row)) is not None
    ]


def _first(rule: Rule, row: Row) -> object:
    """The first minute with something bad in it."""
    if rule.measure == "count":
        return row["first_at"]
    return row["first_error_at" if rule.measure == "rate" else "first_over_at"] or row["first_at"]


def _message(rule: Rule, value: float, row: Row, one: str) -> str:
    where, when = described(rule), f"in {last(rule.window_s)}"
    if rule.measure == "count":
        return f"{counted(value, one) if value else f'no {one}'}{where} {when}"
    of = f"of {counted(row['n'], one)}{where}"
    if rule.measure == "rate":
        return f"{percent(value)} {of} failed {when}"
    return f"{rule.measure.removesuffix('_ms')} {took(value)} {of} {when}"


def _absence(rule: Rule, ask: Ask, moment: Moment, rows: Sequence[Row], metrics: Sequence[str] | None) -> Finding:
    """Fewer than should be; over all services, for who is silent has no rows."""
    value = float(sum(row["n"] for row in rows))
    started_at = None
    if is_beyond(rule, value):
        values = {**times(rule, moment), **filters(rule), "names": None if metrics is None else list(metrics)}
        started_at = due(rule, ask("judge_last_call", values), moment)
    return finding(
        rule,
        state_of(rule, moment, Reading(value=value, is_absence=True)),
        value,
        **whole(rule),
        message=_message(rule, value, {}, "request" if metrics == list(REQUESTS) else "call"),
        context=one_context([rule.where.get("context")]),
        started_at=started_at,
    )
