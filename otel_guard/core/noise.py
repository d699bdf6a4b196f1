"""Which rule fires for nothing, and a limit under which it would have been silent."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from otel_guard.core.weekly import PROPOSES_LEAST, IncidentLine, Noisy

_SHARE: Final = 0.8  # of what nobody acted on, that should not have fired


def noisiest(incidents: Iterable[IncidentLine]) -> Noisy | None:
    """The rule with the most incidents that nobody acted on, three at least."""
    by_rule: defaultdict[str, list[IncidentLine]] = defaultdict(list)
    for incident in incidents:
        by_rule[incident.rule].append(incident)
    rule, found = max(by_rule.items(), key=lambda pair: (_idle(pair[1]), pair[0]), default=("", []))
    if _idle(found) < PROPOSES_LEAST:
        return None
    acted_on = len(found) - _idle(found)
    threshold, proposed = _proposed(found)
    would = sum(_passes(each, proposed, threshold) for each in found) if proposed is not None else None
    return Noisy(
        rule=rule, fired=len(found), acted_on=acted_on, threshold=threshold, proposed=proposed, would_fire=would
    )


def _idle(incidents: Sequence[IncidentLine]) -> int:
    return sum(not each.is_acted_on for each in incidents)


def _proposed(incidents: Sequence[IncidentLine]) -> tuple[float | None, float | None]:
    """The limit that held, and a new one; none if the limits differ, or if it would hide what somebody acted on."""
    limits = {each.threshold for each in incidents}
    limit = limits.pop() if len(limits) == 1 else None
    idle = sorted(each.value for each in incidents if each.value is not None and not each.is_acted_on)
    if limit is None or not idle:
        return limit, None
    is_above = idle[len(idle) // 2] >= limit
    sign = 1 if is_above else -1
    ordered = idle if is_above else idle[::-1]
    proposed = _rounded(ordered[max(0, math.ceil(_SHARE * len(ordered)) - 1)], is_up=is_above)
    hides = any(
        each.is_acted_on and each.value is not None and sign * each.value <= sign * proposed for each in incidents
    )
    return limit, proposed if sign * proposed > sign * limit and not hides else None


def _passes(incident: IncidentLine, proposed: float, threshold: float | None) -> bool:
    if incident.value is None:
        return True
    return incident.value > proposed if proposed > (threshold or 0.0) else incident.value < proposed


def _rounded(value: float, *, is_up: bool) -> float:
    """Two digits that mean something: 37, 1900, 0.075."""
    if value == 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    steps = math.ceil(value / unit - 1e-9) if is_up else math.floor(value / unit + 1e-9)
    return round(steps * unit, 12)
