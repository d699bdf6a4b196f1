"""Webhooks that are slow, late or silent; each provider by itself."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from otel_guard.core.classify import WEBHOOK_DURATION
from otel_guard.core.quantile import points, weighted
from otel_guard.core.rule import Finding, Moment, Rule
from otel_guard.monitor.judges._base import (
    Ask,
    Reading,
    Row,
    counted,
    finding,
    last,
    span,
    state_of,
    times,
    took,
    whose,
)
from otel_guard.monitor.judges.calls import MS, asked, milliseconds

FAILED: Final = 3
BUSY_DAYS: Final = 3
GAPS: Final = 4
LEAST_S: Final = 3600.0
_Q: Final = 0.95


def judge_webhook_slow(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """Their 95th percentile is over the limit, or three failed."""
    rows = asked(rule, ask, moment, (WEBHOOK_DURATION,), is_by_system=True)
    return [_slow(rule, moment, row) for row in rows]


def judge_webhook_lag(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """Too long from the event to the end of its handling."""
    providers: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in ask("judge_lags", times(rule, moment)):
        providers[row["service"], row["environment"], row["system"]].append(row)
    return [_lag(rule, moment, rows) for rows in providers.values()]


def judge_webhook_silent(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """A provider that used to call has not, for four times its longest gap."""
    rows = ask("judge_silences", {**times(rule, moment), "least": rule.least})
    return [_silence(rule, moment, row) for row in rows if row["days"] >= BUSY_DAYS]


def _slow(rule: Rule, moment: Moment, row: Any) -> Finding:
    p95_ms = milliseconds(row["buckets"], _Q, row["highest"]) or 0.0
    is_failing = row["errors"] >= FAILED and row["n"] >= rule.least
    goes_on = row["recent_errors"] > 0 or row["recent_highest"] * MS > (rule.above or 0.0)
    state = state_of(rule, moment, Reading(value=p95_ms, samples=row["n"], goes_on=goes_on))
    if is_failing and state != "bad":
        beyond = Reading(value=float("inf"), samples=row["n"], goes_on=goes_on)
        state = state_of(rule, moment, beyond)
    who = _who(row)
    if is_failing and p95_ms <= (rule.above or 0.0):
        said = f"{row['errors']:.0f} of {counted(row['n'], f'{who}webhook')} failed in {last(rule.window_s)}"
        return _made(rule, state, row, row["errors"], said, threshold=FAILED - 1, started_at=row["first_error_at"])
    said = f"p95 {took(p95_ms)} of {counted(row['n'], f'{who}webhook')} in {last(rule.window_s)}"
    return _made(rule, state, row, p95_ms, said, started_at=row["first_over_at"] or row["first_at"])


def _lag(rule: Rule, moment: Moment, rows: Sequence[Row]) -> Finding:
    known = [point for row in rows for point in points(int(row["n"]), row["sum"], row["highest"])]
    n, p95_ms = sum(int(row["n"]) for row in rows), (weighted(known, _Q) or 0.0) * MS
    late = [row for row in rows if row["highest"] * MS > (rule.above or 0.0)]
    reading = Reading(value=p95_ms, samples=n, goes_on=any(row["is_recent"] for row in late))
    said = (
        f"p95 {took(p95_ms)} from event to handled, of {counted(n, f'{_who(rows[0])}webhook')} in {last(rule.window_s)}"
    )
    first = min((row["minute"] for row in late), default=None)
    return _made(rule, state_of(rule, moment, reading), rows[0], p95_ms, said, started_at=first)


def _silence(rule: Rule, moment: Moment, row: Row) -> Finding:
    limit_s = max(GAPS * (row["gap_s"] or 0.0), LEAST_S)
    silent_s = (moment.now - row["last_at"]).total_seconds()
    said = f"no {_who(row)}webhook for {span(silent_s)}; the longest gap of {span(rule.window_s)} was {span(row['gap_s'] or 0)}"
    due = row["last_at"] + timedelta(seconds=limit_s)
    return _made(rule, "bad" if silent_s > limit_s else "clear", row, None, said, threshold=None, started_at=due)


def _who(row: Row) -> str:
    return f"{row['system']} " if row["system"] else ""


def _made(rule: Rule, state: Any, row: Row, value: float | None, message: str, **fields: Any) -> Finding:
    return finding(
        rule,
        state,
        value,
        **whose(row),
        dimension=row["system"] or "",
        severity=rule.severity,
        message=message,
        context="payment",
        **fields,
    )
