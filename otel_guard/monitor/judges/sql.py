"""A rule of the user whose number comes from a statement of the user's."""

from otel_guard.core.rule import Finding, Moment, Rule
from otel_guard.monitor.judges._base import Ask, Reading, finding, is_beyond, plain, state_of
from otel_guard.monitor.judges._where import whole


def judge_sql(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """One number, compared as it is; raises what `store.judging.number` raises."""
    value = float(ask("number", {"query": rule.query or ""})[0]["value"])
    return [
        finding(
            rule,
            state_of(rule, moment, Reading(value=value)),
            value,
            **whole(rule),
            message=f"{rule.name.replace('_', ' ')}: {plain(value)}",
            started_at=moment.now if is_beyond(rule, value) else None,
        )
    ]
