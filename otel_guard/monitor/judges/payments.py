"""Payments that could not be begun."""

from collections import defaultdict

from otel_guard.core.rule import Finding, Moment, Rule
from otel_guard.monitor.judges._base import Ask, Reading, Row, counted, finding, last, percent, state_of, times, whose


def judge_payment_failures(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """`least` failures, and more than `above` of the creations at one provider; a declined card is none."""
    services: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in ask("judge_payments", {**times(rule, moment), "least": max(int(rule.least), 1)}):
        services[row["service"], row["environment"]].append(row)
    return [max((_finding(rule, moment, row) for row in rows), key=_weight) for rows in services.values()]


def _finding(rule: Rule, moment: Moment, row: Row) -> Finding:
    rate = row["failed"] / row["n"] if row["n"] else 0.0
    reading = Reading(value=rate, samples=row["failed"], goes_on=row["recent"] > 0)
    at = f" at {row['system']}" if row["system"] else ""
    of = f"{row['failed']:.0f} of {counted(row['n'], 'payment')}{at} failed ({percent(rate)})"
    return finding(
        rule,
        state_of(rule, moment, reading),
        rate,
        **whose(row),
        message=f"{of} in {last(rule.window_s)}",
        context="payment",
        labels={"system": row["system"]} if row["system"] else {},
        started_at=row["first_at"],
        ingested_at=row["ingested_at"],
        release=row["release"],
        severity=rule.severity,
    )


def _weight(found: Finding) -> tuple[int, float]:
    """The provider that a service is judged by: its worst."""
    return ("clear", "still", "bad").index(found.state), found.value or 0.0
