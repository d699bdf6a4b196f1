"""Jobs that did not run."""

from datetime import timedelta
from typing import Final

from otel_guard.core.duration import shown
from otel_guard.core.rule import Finding, Moment, Rule
from otel_guard.monitor.judges._base import Ask, Row, finding, span, whose

SLACK: Final = 0.1
LEAST_SLACK_S: Final = 60.0


def judge_heartbeat_missed(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """The last beat is older than the job's period and a tenth of it, at least a minute."""
    return [_finding(rule, moment, row) for row in ask("judge_heartbeats", {})]


def _finding(rule: Rule, moment: Moment, row: Row) -> Finding:
    age_s = (moment.now - row["at"]).total_seconds()
    is_late = age_s > row["period_s"] + max(row["period_s"] * SLACK, LEAST_SLACK_S)
    return finding(
        rule,
        "bad" if is_late else "clear",
        **whose(row),
        dimension=row["name"],
        message=f"{row['name']}: no beat for {span(age_s)}, expected every {shown(row['period_s'])}",
        labels={"heartbeat": row["name"]},
        started_at=row["at"] + timedelta(seconds=row["period_s"]),
    )
