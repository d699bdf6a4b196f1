"""The journal: what waits in it, whether it is on disk, what was dropped."""

from typing import Final

from otel_guard.core.dependency import JOURNAL
from otel_guard.core.passive import Verdict
from otel_guard.journal.stats import JournalStats

NAME: Final = JOURNAL
OLDEST_S: Final = 120.0
FULL: Final = 0.5


def found(stats: JournalStats, dropped: int) -> Verdict:
    """How it is; *dropped* are the records lost in the last five minutes."""
    why = [
        *([f"{dropped} records dropped"] if dropped else []),
        *(["in memory, not on disk"] if stats.memory_why is not None else []),
        *([f"oldest record {stats.oldest_s:.0f} s"] if stats.oldest_s > OLDEST_S else []),
        *(["more than half full"] if stats.bytes > FULL * stats.limit_bytes else []),
    ]
    return Verdict(status="degraded" if why else "healthy", message=", ".join(why) or None)
