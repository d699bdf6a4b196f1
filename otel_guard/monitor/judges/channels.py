"""Channels that nobody hears any more."""

from otel_guard.core.rule import Finding, Moment, Rule
from otel_guard.monitor.judges._base import Ask, Row, counted, finding


def judge_channel_failing(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """Dead, or nothing was taken for 10 min."""
    return [_finding(rule, row) for row in ask("channel_failing", {"now": moment.now})]


def _finding(rule: Rule, row: Row) -> Finding:
    why = f": {row['last_error']}" if row["last_error"] else ""
    said = (
        f"the channel {row['channel']} is dead{why}; give it a new address, then run otel-guard test-alert"
        if row["is_dead"]
        else f"the channel {row['channel']} has refused {counted(row['failures'], 'time')} in a row{why}"
    )
    return finding(
        rule,
        "bad",
        dimension=row["channel"],
        message=said,
        labels={"channel": row["channel"]},
        started_at=row["since"] or row["last_error_at"],
    )
