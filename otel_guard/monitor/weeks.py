"""How well each week was watched: cycles and gaps, carried along in the monitor's heartbeat."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any, Final

from otel_guard.core.rule import Moment
from otel_guard.core.week import week_of

KEY: Final = "weeks"  # in the detail of the heartbeat
KEPT: Final = 6
_COUNTS: Final = ("cycles", "gaps", "gap_s", "longest_s")


def counted(detail: Mapping[str, Any], moment: Moment, zone: tzinfo | None = None) -> dict[str, dict[str, float]]:
    """What the last heartbeat's *detail* had counted, with the cycle of *moment*: its new `weeks`.

    A gap is a time of more than three periods without a cycle; it belongs to the week in which it ended.
    """
    weeks = watched(detail)
    own = weeks.get(label := week_of(moment.now.astimezone(zone).date(), zone).label, dict.fromkeys(_COUNTS, 0.0))
    is_gap = bool(detail) and moment.watched_since == moment.now
    gap_s = moment.gap_s if is_gap else 0.0
    weeks[label] = {
        "cycles": own["cycles"] + 1,
        "gaps": own["gaps"] + is_gap,
        "gap_s": round(own["gap_s"] + gap_s, 1),
        "longest_s": round(max(own["longest_s"], gap_s), 1),
    }
    return {name: weeks[name] for name in sorted(weeks)[-KEPT:]}


def watched(detail: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """The weeks in a heartbeat's *detail*; what another release wrote otherwise is left out."""
    weeks = detail.get(KEY)
    if not isinstance(weeks, Mapping):
        return {}
    return {
        str(label): {key: float(count[key]) for key in _COUNTS}
        for label, count in weeks.items()
        if isinstance(count, Mapping) and all(isinstance(count.get(key), int | float) for key in _COUNTS)
    }
