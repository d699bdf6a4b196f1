"""The rule that fired most for nothing, and a limit under which it would not have: pure."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, Final

from otel_guard.core.incident import Incident
from otel_guard.store.reports import Fired

LEAST: Final = 3  # fired so often, it is worth a look
Q: Final = 0.75  # the new limit silences three of four that nobody acted on
LONGEST_S: Final = 1800.0
# Rules that watch a state: a longer `for` passes over what mends itself.
WAITING: Final = frozenset(
    {"ai_provider_failing", "backlog", "database_pressure", "dependency_unhealthy", "service_silent"}
)


def noisiest(fired: Sequence[Fired]) -> dict[str, Any] | None:
    """The rule, how often it `fired` and was `acted_on`, and a `proposal`; None: none fired three times."""
    by_rule: dict[str, list[Fired]] = defaultdict(list)
    for each in fired:
        if each.incident.rule is not None:
            by_rule[each.incident.rule].append(each)
    loud = [rule for rule, its in by_rule.items() if len(its) >= LEAST]
    if not loud:
        return None
    rule = max(loud, key=lambda name: (_unanswered(by_rule[name]), len(by_rule[name]), name))
    its = by_rule[rule]
    acted_on = len(its) - _unanswered(its)
    is_noise = acted_on * 2 < len(its)
    return {
        "rule": rule,
        "fired": len(its),
        "acted_on": acted_on,
        "proposal": proposal(rule, its) if is_noise else None,
    }


def proposal(rule: str, its: Sequence[Fired]) -> dict[str, Any] | None:
    """`setting` and its new `value`, the `old` one, how many it would have `silenced`; None: there is no good one."""
    limits = Counter(each.incident.threshold for each in its if each.incident.value is not None)
    old = next((limit for limit, _ in limits.most_common() if limit is not None), None)
    if old is None:
        return _wait(its) if rule in WAITING else None
    alike = [each for each in its if each.incident.threshold == old and each.incident.value is not None]
    quiet = sorted(float(each.incident.value or 0) for each in alike if not each.is_acted_on)
    meant = [float(each.incident.value or 0) for each in alike if each.is_acted_on]
    is_below = all(value < old for value in quiet)
    sign = -1.0 if is_below else 1.0
    new = _limit([sign * value for value in quiet], [sign * value for value in meant], sign * old)
    if new is None:
        return None
    return {
        "setting": "below" if is_below else "above",
        "value": sign * new,
        "old": old,
        "silenced": sum(sign * value <= new for value in quiet),
    }


def _limit(quiet: Sequence[float], meant: Sequence[float], old: float) -> float | None:
    """A limit over three quarters of *quiet*, and below all of *meant*."""
    under = sorted(value for value in quiet if not meant or value < min(meant))
    if not under:
        return None
    chosen = under[max(math.ceil(Q * len(quiet)), 1) - 1] if len(under) == len(quiet) else under[-1]
    new = _rounded_up(chosen)
    if meant and new >= min(meant):
        new = chosen
    return new if new > old else None


def _wait(its: Sequence[Fired]) -> dict[str, Any] | None:
    lasted = sorted(s for each in its if not each.is_acted_on and (s := _lasted_s(each.incident)) is not None)
    if not lasted:
        return None
    seconds = math.ceil(lasted[math.ceil(Q * len(lasted)) - 1] / 60) * 60
    if not 0 < seconds <= LONGEST_S:
        return None
    return {"setting": "for", "value": seconds, "old": None, "silenced": sum(each < seconds for each in lasted)}


def _unanswered(its: Sequence[Fired]) -> int:
    return sum(not each.is_acted_on for each in its)


def _lasted_s(incident: Incident) -> float | None:
    since = incident.pending_at or incident.fired_at
    if since is None or incident.resolved_at is None:
        return None
    return max((incident.resolved_at - since).total_seconds(), 0.0)


def _rounded_up(value: float) -> float:
    """To two digits that count: 0.0523 is 0.053, 1837 is 1900, -0.913 is -0.91."""
    if value == 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    if abs(value) < 100:  # noqa: PLR2004 - whole numbers stay whole
        step = step if value != int(value) else 1.0
    return round(math.ceil(round(value / step, 6)) * step, 6)
