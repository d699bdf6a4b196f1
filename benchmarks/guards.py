"""The guard of the variants that have one."""

import os
from collections.abc import Sequence

import otel_guard
from otel_guard.core.bucket import Buckets
from otel_guard.guard import Guard

WAIT_S = 120.0


def start(*, storms: bool = False, instrument_off: Sequence[str] = ()) -> Guard:
    """As in production, with Postgres; without *storms* the bucket never empties: each error is a record of its own."""
    if not os.environ.get("OTEL_GUARD_DSN"):
        raise RuntimeError("OTEL_GUARD_DSN is not set: run this by `make bench`, which starts a Postgres")
    if not storms:
        Buckets.__init__.__defaults__ = (1e9,)
    return otel_guard.configure(console="off", sentry="off", instrument_off=list(instrument_off))


def flush() -> None:
    """Wait until Postgres has it all."""
    if not otel_guard.flush(WAIT_S):
        raise RuntimeError(f"not everything was stored in {WAIT_S:.0f} s")


def all_recorded(guard: Guard, errors: int, *, repeated: bool = False) -> None:
    """Raise unless each error became a record on disk (or was counted as a repeat), and none was lost."""
    counts, journal = guard.capture.pipeline.counts, guard.journal.stats()
    if counts.emitted + counts.repeated != errors or bool(counts.repeated) != repeated:
        raise RuntimeError(f"{errors} errors were expected: {counts}")
    nothing_lost(guard)
    if not repeated and journal.sinks["postgres"].delivered < errors:
        raise RuntimeError(f"{errors} errors were expected in Postgres: {journal}")


def nothing_lost(guard: Guard) -> None:
    """Raise if the journal dropped something or kept it in memory only."""
    journal = guard.journal.stats()
    if journal.memory_mode or any(journal.dropped.values()) or journal.quarantined:
        raise RuntimeError(f"the journal did not keep everything on disk: {journal}")
