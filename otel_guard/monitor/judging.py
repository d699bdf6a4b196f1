"""Which judge a rule has, and its verdict on all that happened since the last cycle."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from otel_guard.core.rule import Finding, Moment, Rule, dedup_key
from otel_guard.monitor.judges import (
    calls,
    channels,
    database,
    dependencies,
    email,
    errors,
    heartbeats,
    issues,
    payments,
    processes,
    slow,
    sql,
    watch,
    webhooks,
)
from otel_guard.monitor.judges._base import LONGEST_GAP_S, Ask

Judge = Callable[[Rule, Ask, Moment], list[Finding]]

GIVEN: Final = frozenset({"rule_error", "rules_invalid"})
"""Kinds whose findings the cycle has itself: `watch.rule_errors`, `watch.rules_invalid`."""
OF_WATCHED_DATABASE: Final = frozenset({"database_pressure"})
"""Kinds that ask the database of `[check.database]`, if there is one: `store.inspections.inspector`."""
_SOURCES: Final[Mapping[str, Judge]] = {
    "errors": errors.judge_errors,
    "calls": calls.judge_calls,
    "slow_calls": slow.judge_slow_calls,
    "health": dependencies.judge_health,
    "queue": dependencies.judge_queue_depth,
    "sql": sql.judge_sql,
}
# Their sums are by the minute: each minute since the last cycle is looked at again.
_BY_MINUTE: Final = frozenset({"payment_failures", "error_rate", "response_time", "webhook_slow"})
_STEP_S: Final = 60.0


def judge(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """What *rule* found; raises what *ask* raises."""
    found = JUDGES[rule.kind](rule, ask, moment)
    is_by_minute = rule.kind in _BY_MINUTE or (rule.kind == "custom" and rule.source == "calls")
    if rule.above is None or not is_by_minute:
        return found
    known = {dedup_key(each): each for each in found}
    for earlier in _skipped(rule, moment):
        for each in JUDGES[rule.kind](rule, ask, earlier):
            key = dedup_key(each)
            if each.state == "bad" and (key not in known or known[key].state != "bad"):
                known[key] = each
    return list(known.values())


def _custom(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    return _SOURCES[rule.source or ""](rule, ask, moment)


def _skipped(rule: Rule, moment: Moment) -> Iterator[Moment]:
    """The minutes since the last cycle, newest first; none in a daemon's rhythm."""
    gap_s = min(moment.gap_s, LONGEST_GAP_S)
    if gap_s <= rule.window_s / 10:
        return
    for step in range(1, int((gap_s - 1) // _STEP_S) + 1):
        behind = step * _STEP_S
        yield replace(moment, now=moment.now - timedelta(seconds=behind), gap_s=moment.gap_s - behind)


JUDGES: Final[Mapping[str, Judge]] = {
    "ai_provider_failing": dependencies.judge_ai_provider_failing,
    "backlog": processes.judge_backlog,
    "channel_failing": channels.judge_channel_failing,
    "critical_error": issues.judge_critical_error,
    "custom": _custom,
    "database_pressure": database.judge_database_pressure,
    "dependency_unhealthy": dependencies.judge_dependency_unhealthy,
    "email_delivery": email.judge_email_delivery,
    "error_burst": errors.judge_error_burst,
    "error_rate": calls.judge_requests,
    "heartbeat_missed": heartbeats.judge_heartbeat_missed,
    "monitor_offline": watch.judge_nothing,
    "new_issue": issues.judge_new_issue,
    "payment_failures": payments.judge_payment_failures,
    "queue_depth": dependencies.judge_queue_depth,
    "regressed_issue": issues.judge_regressed_issue,
    "response_time": calls.judge_requests,
    "service_silent": processes.judge_service_silent,
    "slow_queries": slow.judge_slow_queries,
    "webhook_lag": webhooks.judge_webhook_lag,
    "webhook_silent": webhooks.judge_webhook_silent,
    "webhook_slow": webhooks.judge_webhook_slow,
}
