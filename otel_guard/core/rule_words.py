"""A rule in words, for tables and messages."""

from typing import Final

from otel_guard.core.duration import shown
from otel_guard.core.rule import Hours, Rule

_STATES: Final = {
    "ai_provider_failing": "an AI provider unhealthy, or its breaker open",
    "backlog": "records or messages wait, or were dropped",
    "channel_failing": "a channel dead, or failing for 10 min",
    "critical_error": "an error critical, or of payment and high",
    "database_pressure": "connections, locks, replication or transaction ids near a limit",
    "dependency_unhealthy": "a dependency unhealthy",
    "heartbeat_missed": "a heartbeat overdue",
    "monitor_offline": "the monitor's heartbeat older than 3 periods",
    "new_issue": "an error of a new kind, high or worse",
    "regressed_issue": "an error of a resolved kind is back, high or worse",
    "rule_error": "a rule failed, or took > 5 s, three times",
    "rules_invalid": "problems in otel_guard.toml",
    "service_silent": "no live process, one in the last 60 min",
    "webhook_silent": "no webhook in 4 times its longest gap",
}
_GOOD: Final = {
    "ai_provider_failing": "closed",
    "backlog": "empty",
    "channel_failing": "mended",
    "critical_error": "quiet",
    "database_pressure": "below",
    "dependency_unhealthy": "healthy",
    "heartbeat_missed": "a beat",
    "monitor_offline": "a beat",
    "new_issue": "quiet",
    "regressed_issue": "quiet",
    "rule_error": "mended",
    "rules_invalid": "mended",
    "service_silent": "one lives",
    "webhook_silent": "one comes",
}
# What is counted, one and many.
_BUILTIN: Final = {
    "email_delivery": ("mail", "mails"),
    "error_burst": ("error", "errors"),
    "error_rate": ("request", "requests"),
    "payment_failures": ("payment", "payments"),
    "queue_depth": ("job waiting", "jobs waiting"),
    "response_time": ("request", "requests"),
    "slow_queries": ("slow query", "slow queries"),
    "webhook_lag": ("webhook", "webhooks"),
    "webhook_slow": ("webhook", "webhooks"),
}
_SOURCES: Final = {
    None: ("", ""),
    "calls": ("call", "calls"),
    "errors": ("error", "errors"),
    "health": ("dependency unhealthy", "dependencies unhealthy"),
    "queue": ("job waiting", "jobs waiting"),
    "slow_calls": ("slow call", "slow calls"),
    "sql": ("", ""),
}
_SECOND_MS: Final = 1000
_MINUTES_MS: Final = 120_000


def words(rule: Rule) -> str:
    """When *rule* fires: `> 10 errors in 5 min`, `p95 > 1.5 s of calls (route /checkout) in 10 min`."""
    return _fires(rule) + (f", {hours(rule.hours)}" if rule.hours else "")


def clears(rule: Rule) -> str:
    """When *rule* is good again: `≤ 5, held 5 min`, `0 in 10 min`, `5 min healthy`."""
    if rule.kind in _GOOD:
        return f"{shown(rule.clear_s)} {_GOOD[rule.kind]}" if rule.clear_s else _GOOD[rule.kind]
    if limit(rule) is None:
        return ""
    if rule.clear is None:
        quiet_s = rule.still_s + rule.clear_s
        return f"0 in {shown(quiet_s)}" if quiet_s else "none"
    sign = "≤" if rule.below is None else "≥"
    held = f", held {shown(rule.clear_s)}" if rule.clear_s else ""
    return f"{sign} {number(rule, rule.clear)}{held}"


def limit(rule: Rule) -> float | None:
    """`above`, or `below`; None: the rule watches a state, or waits for its limit."""
    return rule.above if rule.above is not None else rule.below


def number(rule: Rule, value: float) -> str:
    """*value* in the measure of *rule*: 12, 5 %, 800 ms, 1.5 s, 5 min."""
    if rule.measure == "count":
        return _plain(value)
    if rule.measure == "rate":
        return f"{_plain(value * 100)} %"
    if value < _SECOND_MS:
        return f"{_plain(value)} ms"
    return f"{_plain(value / 1000)} s" if value < _MINUTES_MS else shown(value / 1000)


def severities(rule: Rule) -> str:
    """`high; critical > 50`; of a state only `medium; high`."""
    over = "" if rule.above is None else "> "
    steps = (f"{step.severity} {over}{number(rule, step.above)}" if over else step.severity for step in rule.steps)
    return "; ".join((rule.severity, *steps))


def hours(value: Hours) -> str:
    """`08:00-22:00`."""
    return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in (value.start, value.end))


def _fires(rule: Rule) -> str:
    if rule.kind in _STATES:
        return _STATES[rule.kind]
    bound = limit(rule)
    if bound is None:
        return "no limit given: write above"
    compared = f"{'>' if rule.below is None else '<'} {number(rule, bound)}"
    if rule.source == "sql":
        return f"query {compared}"
    lasting = "" if rule.source in ("health", "queue") else f" in {shown(rule.window_s)}"
    what = _what(rule, is_one=bound == 1 and rule.measure == "count")
    least = f"≥ {_plain(rule.least)} " if rule.least and rule.kind != "payment_failures" else ""
    if rule.measure == "count":
        return f"{compared} {what}{lasting}"
    if rule.measure == "rate":
        done = "delivered" if rule.kind == "email_delivery" else "failed"
        also = f", ≥ {_plain(rule.least)}," if rule.kind == "payment_failures" else ""
        return f"{compared} of {least}{what} {done}{also}{lasting}"
    lag = " lag" if rule.kind == "webhook_lag" else ""
    return f"{rule.measure.removesuffix('_ms')}{lag} {compared} of {least}{what}{lasting}"


def _what(rule: Rule, *, is_one: bool) -> str:
    one, many = _BUILTIN.get(rule.kind) or _SOURCES[rule.source]
    where = ", ".join(f"{key} {value}" for key, value in rule.where.items())
    return (one if is_one else many) + (f" ({where})" if where else "")


def _plain(value: float) -> str:
    """As people write it: no exponent, at most 4 digits behind the point."""
    return f"{value:.4f}".rstrip("0").rstrip(".")
