"""Mails that were not taken."""

from collections import defaultdict
from typing import Final

from otel_guard.core.rule import Finding, Moment, Rule
from otel_guard.monitor.judges._base import Ask, Reading, Row, counted, finding, last, percent, plain, state_of, whose
from otel_guard.monitor.judges.calls import asked

_METRIC: Final = ("email.client.operation.duration",)


def judge_email_delivery(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """Less than `below` of at least `least` mails of a service were taken by their providers."""
    services: dict[tuple[object, object], list[Row]] = defaultdict(list)
    for row in asked(rule, ask, moment, _METRIC, is_by_system=True):
        services[row["service"], row["environment"]].append(row)
    return [_finding(rule, moment, rows) for rows in services.values()]


def _finding(rule: Rule, moment: Moment, rows: list[Row]) -> Finding:
    n, errors, recent = (float(sum(row[key] for row in rows)) for key in ("n", "errors", "recent_errors"))
    success = 1 - errors / n if n else 1.0
    reading = Reading(value=success, samples=n, goes_on=recent > 0)
    failing = [row for row in rows if row["errors"]]
    return finding(
        rule,
        state_of(rule, moment, reading),
        success,
        **whose(rows[0]),
        message=f"{percent(success)} of {counted(n, 'mail')} delivered in {last(rule.window_s)}",
        context="email",
        labels={"system": rows[0]["system"]} if len(rows) == 1 and rows[0]["system"] else {},
        top=tuple(map(_line, sorted(failing, key=lambda row: -row["errors"])[:3])),
        started_at=min((row["first_error_at"] for row in failing), default=None),
    )


def _line(row: Row) -> str:
    return f"`{row['system'] or 'email'}` {plain(row['errors'])} of {plain(row['n'])} failed"
