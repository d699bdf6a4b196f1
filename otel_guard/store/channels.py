"""How each channel does: working, paused by its server, failing, dead."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from otel_guard.store.ask import Database, Row, ask, run

DEAD_FROM: Final = datetime(9999, 1, 1, tzinfo=UTC)


class ChannelState(Struct, frozen=True, kw_only=True):
    """A channel whose row is ours until the transaction ends."""

    is_dead: bool
    blocked_until: datetime | None
    failures: int
    now: datetime


def ensure(database: Database, names: Sequence[str]) -> None:
    """Make the rows of channels that have none."""
    run(database, "channel_ensure", {"channels": list(names)})


def lock(database: Database, name: str, now: datetime | None = None) -> ChannelState | None:
    """Decide for *name* alone; None: another courier does."""
    rows = ask(database, "channel_lock", {"channel": name, "now": now})
    if not rows:
        return None
    row = rows[0]
    until = row["blocked_until"]
    is_dead = until is not None and until >= DEAD_FROM
    return ChannelState(
        is_dead=is_dead, blocked_until=None if is_dead else until, failures=row["failures"], now=row["now"]
    )


def write_worked(database: Database, name: str, now: datetime | None = None) -> None:
    """It said yes; also what `test-alert` may note: a dead channel lives again."""
    run(database, "channel_worked", {"channel": name, "now": now})


def write_failed(
    database: Database, name: str, *, after_s: float | None, is_dead: bool, now: datetime | None = None
) -> None:
    """It said no; *after_s*: its server wants peace for so long."""
    values = {"channel": name, "after_s": after_s, "is_dead": is_dead, "now": now}
    run(database, "channel_failed", values)


def write_held(database: Database, name: str, held: int) -> None:
    """How many messages its throttle holds back."""
    run(database, "channel_held", {"channel": name, "held": held})


def states(database: Database) -> list[Row]:
    """`channel`, `is_dead`, `blocked_until`, `failures`, `last_ok_at`, `last_error_at`, `held` of each."""
    return ask(database, "channel_states")


def failing(database: Database, now: datetime | None = None) -> list[Row]:
    """Channels that are dead, or have taken nothing for 10 min: `channel`, `is_dead`, `failures`, `since`, `last_error`."""
    return ask(database, "channel_failing", {"now": now})
