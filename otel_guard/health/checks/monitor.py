"""The monitor: its last heartbeat and its last retention, as the database knows them."""

from typing import Final

from msgspec import Struct

from otel_guard.core.dependency import MONITOR
from otel_guard.core.passive import Verdict

NAME: Final = MONITOR
PERIODS: Final = 3.0
DAY_S: Final = 86400.0
NEVER: Final = "no rules, no retention"


class MonitorSeen(Struct, frozen=True, kw_only=True):
    """The newest heartbeat of a monitor; *retention_age_s* None: it never said."""

    age_s: float
    period_s: float
    retention_age_s: float | None = None


def found(seen: MonitorSeen | None, *, is_lost: bool) -> Verdict:
    """How it was when the database was asked; *is_lost*: the application alerted that it is gone."""
    if seen is None:
        return Verdict(status="not_configured", message=NEVER)
    if is_lost or seen.age_s > PERIODS * seen.period_s:
        return Verdict(status="degraded", message=f"no cycle for {seen.age_s:.0f} s")
    if seen.retention_age_s is not None and seen.retention_age_s > DAY_S:
        return Verdict(status="degraded", message="no retention for a day")
    return Verdict(status="healthy")
