"""The built-in rules, a row each (operations.md, section 3.1)."""

from typing import Final

from otel_guard.core.rule import Rule, Step

# Where a rule watches a state (neither `above` nor `below`) its steps stand on a level that its judge gives to
# `severity_of`: 0 is the plain case, 1 and 2 the worse ones named beside. A step on a success rate (`below`) stands on
# the share that failed. "0 in 10 min" is written as none in `still_s`, held `clear_s`: together 10 min.
_MIN: Final = 60.0
_HOUR: Final = 3600.0
_DAY: Final = 86400.0

_ERRORS: Final = (
    Rule(
        name="slow_queries",
        kind="slow_queries",
        type="performance_degradation",
        severity="medium",
        above=5,  # queries of more than 1 s
        window_s=_HOUR,
        still_s=5 * _MIN,
        clear_s=5 * _MIN,
        steps=(Step(25, "high"),),
        source="slow_calls",
    ),
    Rule(
        name="error_burst",
        kind="error_burst",
        type="high_error_rate",
        severity="high",
        above=10,
        window_s=5 * _MIN,
        still_s=_MIN,
        clear=5,
        clear_s=5 * _MIN,
        steps=(Step(50, "critical"),),
        source="errors",
    ),
    Rule(
        name="error_rate",
        kind="error_rate",
        type="error_rate",
        severity="high",
        above=0.05,
        window_s=5 * _MIN,
        still_s=_MIN,
        for_s=_MIN,
        clear=0.025,
        clear_s=5 * _MIN,
        least=50,
        source="calls",
        measure="rate",
    ),
    Rule(
        name="critical_error",
        kind="critical_error",
        type="critical_error",
        severity="critical",
        window_s=_MIN,
        clear_s=15 * _MIN,
        source="errors",
    ),
    Rule(
        name="new_issue",
        kind="new_issue",
        type="new_issue",
        severity="high",
        window_s=_MIN,
        for_s=30,
        clear_s=15 * _MIN,
        steps=(Step(0, "critical"),),  # 1: the group is critical
        source="errors",
    ),
    Rule(
        name="regressed_issue",
        kind="regressed_issue",
        type="regressed_issue",
        severity="high",
        window_s=_MIN,
        for_s=30,
        clear_s=15 * _MIN,
        steps=(Step(0, "critical"),),  # 1: the group is critical
        source="errors",
    ),
)
_CALLS: Final = (
    Rule(
        name="payment_failures",
        kind="payment_failures",
        type="payment_failures",
        severity="critical",
        above=0.2,  # of the creations; declines are no failures
        window_s=5 * _MIN,
        still_s=_MIN,
        clear_s=9 * _MIN,
        least=3,  # failures
        source="calls",
        measure="rate",
    ),
    Rule(
        name="email_delivery",
        kind="email_delivery",
        type="email_delivery",
        severity="high",
        below=0.95,  # delivered, of all
        window_s=_HOUR,
        still_s=10 * _MIN,
        clear=0.98,
        least=20,
        steps=(Step(0.5, "critical"),),
        source="calls",
        measure="rate",
    ),
    Rule(
        name="webhook_slow",
        kind="webhook_slow",
        type="webhook_slow",
        severity="medium",
        above=5000,  # ms; or 3 failed
        window_s=15 * _MIN,
        still_s=5 * _MIN,
        clear=4000,
        clear_s=10 * _MIN,
        least=5,
        source="calls",
        measure="p95_ms",
    ),
    Rule(
        name="webhook_lag",
        kind="webhook_lag",
        type="webhook_lag",
        severity="high",
        above=300_000,  # ms from the event to its end here
        window_s=30 * _MIN,
        still_s=10 * _MIN,
        clear=240_000,
        least=3,
        source="calls",
        measure="p95_ms",
    ),
    Rule(
        name="webhook_silent",
        kind="webhook_silent",
        type="webhook_silent",
        severity="high",
        window_s=14 * _DAY,  # whose longest gap counts
        least=3,  # a day, on three days
        source="calls",
    ),
    Rule(
        name="queue_depth",
        kind="queue_depth",
        type="queue_depth",
        severity="medium",
        window_s=5 * _MIN,
        still_s=25,
        for_s=2 * _MIN,
        clear_s=5 * _MIN,
        source="queue",
        is_enabled=False,
    ),
    Rule(
        name="response_time",
        kind="response_time",
        type="response_time",
        severity="medium",
        window_s=5 * _MIN,
        still_s=25,
        for_s=2 * _MIN,
        clear_s=5 * _MIN,
        source="calls",
        measure="p95_ms",
        is_enabled=False,
    ),
)
_STATES: Final = (
    Rule(
        name="dependency_unhealthy",
        kind="dependency_unhealthy",
        type="dependency_unhealthy",
        severity="medium",
        for_s=30,  # of a critical one; the others wait four times as long, by their judge
        clear_s=2 * _MIN,
        steps=(Step(0, "critical"),),  # 1: the dependency is critical
        source="health",
    ),
    Rule(
        name="ai_provider_failing",
        kind="ai_provider_failing",
        type="ai_provider_failing",
        severity="medium",
        for_s=2 * _MIN,
        clear_s=2 * _MIN,
        steps=(Step(0, "high"),),  # 1: no provider is left
        source="health",
    ),
    Rule(
        name="database_pressure",
        kind="database_pressure",
        type="database_pressure",
        severity="medium",
        clear_s=2 * _MIN,
        steps=(Step(0, "high"), Step(1, "critical")),  # 1: connections, a blocked query; 2: transaction ids
    ),
    Rule(name="heartbeat_missed", kind="heartbeat_missed", type="heartbeat_missed", severity="high"),
    Rule(
        name="service_silent",
        kind="service_silent",
        type="service_silent",
        severity="high",
        window_s=_HOUR,
        for_s=3 * _MIN,
    ),
)
_WATCH: Final = (
    Rule(name="monitor_offline", kind="monitor_offline", type="monitor_offline", severity="high"),
    Rule(name="backlog", kind="backlog", type="backlog", severity="high", for_s=_MIN, clear_s=2 * _MIN),
    Rule(
        name="channel_failing",
        kind="channel_failing",
        type="channel_failing",
        severity="high",
        window_s=10 * _MIN,
    ),
    Rule(name="rule_error", kind="rule_error", type="rule_error", severity="high"),
    Rule(name="rules_invalid", kind="rules_invalid", type="rules_invalid", severity="high"),
)

RULES: Final = (*_ERRORS, *_CALLS, *_STATES, *_WATCH)
"""All built-in rules; `queue_depth` and `response_time` wait for the user's limit."""

NEEDS_LIMIT: Final = frozenset({"queue_depth", "response_time"})
