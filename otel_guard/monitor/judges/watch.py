"""What the monitor finds of its own rules; the cycle hands it over."""

from collections.abc import Mapping, Sequence

from otel_guard.core.rule import Finding, Moment, Rule
from otel_guard.monitor.judges._base import Ask, counted, finding


def judge_nothing(_rule: Rule, _ask: Ask, _moment: Moment) -> list[Finding]:
    """`monitor_offline` is the application's to say, and over once a monitor judges."""
    return []


def rule_errors(rule: Rule, failing: Mapping[str, str], moment: Moment) -> list[Finding]:
    """One finding for each rule (name to reason) that failed, or took too long, three times."""
    return [
        finding(
            rule,
            "bad",
            dimension=name,
            message=f"the rule {name} cannot be judged: {reason}",
            labels={"rule": name},
            started_at=moment.now,
        )
        for name, reason in sorted(failing.items())
    ]


def rules_invalid(rule: Rule, problems: Sequence[str], moment: Moment) -> list[Finding]:
    """One finding for all that is wrong in the rule file."""
    if not problems:
        return []
    return [
        finding(
            rule,
            "bad",
            message=f"{counted(len(problems), 'problem')} in otel_guard.toml: run otel-guard rules check",
            top=tuple(problems[:3]),
            started_at=moment.now,
        )
    ]
