"""A built-in rule with what `[rule.NAME]` changes in it (operations.md, section 3.2)."""

from typing import Final

from msgspec.structs import replace

from otel_guard.core.record import SEVERITIES
from otel_guard.core.rule import Rule, Step
from otel_guard.core.rules_builtin import NEEDS_LIMIT
from otel_guard.settings.rules_own import KEYS, LIMITS, clear, hours, limits
from otel_guard.settings.table import Table

_ALWAYS: Final = ("severity", "for", "enabled")
_COUNTS: Final = ("above", "below", "clear", "window", "hours", "least")
_PARTS: Final = 12  # of the window of a rule without a default limit: whether it goes on


def changed(rule: Rule, table: Table) -> Rule:
    """Read what differs from *rule*; it holds only if *table* has no problems then."""
    is_counting = rule.above is not None or rule.below is not None or rule.name in NEEDS_LIMIT
    keys = (*_keys(rule), *_ALWAYS) if is_counting else _ALWAYS
    table.known(keys, _others(rule, is_counting=is_counting))
    if is_counting:
        rule = _counting(rule, table)
    severity = table.one_of("severity", SEVERITIES, "severity")
    if severity:
        rule = replace(rule, severity=severity, steps=())
    for_s = table.duration("for")
    is_enabled = table.flag("enabled")
    return replace(
        rule,
        for_s=rule.for_s if for_s is None else for_s,
        is_enabled=rule.is_enabled if is_enabled is None else _enabled(rule, table, is_enabled=is_enabled),
    )


def _keys(rule: Rule) -> tuple[str, ...]:
    without = {"above"} if rule.below is not None else set()
    return tuple(key for key in _COUNTS if key not in without)


def _others(rule: Rule, *, is_counting: bool) -> dict[str, str]:
    """Why a key of other rules is none here, by key."""
    if not is_counting:
        reason = f"{rule.name} watches a state; it takes {', '.join(_ALWAYS[:-1])} and {_ALWAYS[-1]}"
        return dict.fromkeys(KEYS, reason)
    own = f"{rule.name} is built in and has its own; write a rule of another name with it"
    return dict.fromkeys(KEYS, own) | {"above": f"{rule.name} fires under its limit; write below"}


def _enabled(rule: Rule, table: Table, *, is_enabled: bool) -> bool:
    if is_enabled and rule.name in NEEDS_LIMIT and not set(LIMITS) & set(table.values):
        table.problem("above", "missing", "write your limit")
    return is_enabled


def _counting(rule: Rule, table: Table) -> Rule:
    above, below = limits(table, rule.measure)
    window_s = table.duration("window", least=1) or rule.window_s
    least = table.number("least")
    still_s = window_s / _PARTS if rule.name in NEEDS_LIMIT else min(rule.still_s, window_s)
    rule = replace(
        rule,
        window_s=window_s,
        still_s=still_s,
        least=rule.least if least is None else least,
        hours=hours(table) or rule.hours,
    )
    if above is not None or below is not None:
        return _limited(rule, table, above, below)
    if "clear" not in table.values:
        return rule
    if rule.above is None and rule.below is None:
        table.problem("clear", "there is no limit to clear from", "write above too")
        return rule
    return replace(rule, clear=clear(table, rule.above, rule.below))


def _limited(rule: Rule, table: Table, above: float | None, below: float | None) -> Rule:
    """With another limit; `clear` and the steps of severity keep their distance to it."""
    if below is not None:
        steps = rule.steps if rule.below is not None else ()
        made = replace(rule, above=None, below=below, clear=clear(table, None, below), still_s=0.0, steps=steps)
    else:
        made = replace(rule, above=above, clear=_clear(rule, table, above or 0.0), steps=_steps(rule, above or 0.0))
    return replace(made, is_enabled=True)


def _clear(rule: Rule, table: Table, above: float) -> float | None:
    if "clear" in table.values or rule.above is None:
        return clear(table, above, None)
    return None if rule.clear is None else rule.clear * above / rule.above


def _steps(rule: Rule, above: float) -> tuple[Step, ...]:
    """A step that the limit has passed moves up in proportion; the others stay."""
    if not rule.above:
        return rule.steps
    factor = above / rule.above
    return tuple(
        step if step.above > above else Step(step.above * max(factor, 1.0), step.severity) for step in rule.steps
    )
