"""Who watches the monitor: the applications, which see its heartbeat in the same Postgres."""

from collections.abc import Callable
from typing import Final

from otel_guard.core.incident import Opening
from otel_guard.health.checks.monitor import PERIODS, MonitorSeen
from otel_guard.runtime.clock import Clock
from otel_guard.settings.identity import Identity

RULE: Final = "monitor_offline"
EACH_S: Final = 600.0
GIVEN_UP_S: Final = 86_400.0  # after a day nobody expects it any more; /health goes on to say so


class MonitorWatch:
    """Opens `monitor_offline` when the heartbeat is older than three periods; the next cycle of a monitor ends it."""

    def __init__(self, who: Identity, put: Callable[[Opening], bool], clock: Clock, *, is_on: bool) -> None:
        self.is_lost = False
        self._who = who
        self._put = put
        self._clock = clock
        self._is_on = is_on
        self._told_at = -EACH_S

    def look(self, seen: MonitorSeen | None) -> None:
        """Judge what was read just now; None: nothing fresh is known, or there never was a monitor."""
        if seen is None:
            return
        self.is_lost = PERIODS * seen.period_s < seen.age_s < GIVEN_UP_S
        now = self._clock.monotonic()
        if not self._is_on or not self.is_lost or now - self._told_at < EACH_S:
            return
        self._told_at = now
        self._put(
            Opening(
                type=RULE,
                rule=RULE,
                dedup_key=f"{RULE}:{self._who.environment}:",
                severity="high",
                message=f"the monitor's last cycle was {seen.age_s / 60:.0f} min ago: no rule is judged, nothing is deleted",
                environment=self._who.environment,
                value=round(seen.age_s),
                threshold=round(PERIODS * seen.period_s),
            )
        )
