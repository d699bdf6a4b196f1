"""How a journal stands, for status, health and our own metrics."""

from collections.abc import Mapping

from msgspec import Struct


class SinkStats(Struct, frozen=True, kw_only=True):
    """One sink; *trouble* says why it took nothing the last time."""

    lag_s: float
    delivered: int
    retries: int
    trouble: str | None


class JournalStats(Struct, frozen=True, kw_only=True):
    """One process's view; bytes are the whole folder's."""

    bytes: int
    limit_bytes: int
    oldest_s: float
    memory_mode: bool
    memory_why: str | None
    durable: bool  # its disk outlives the container
    dropped: Mapping[str, int]  # by reason
    write_errors: Mapping[str, int]  # by errno
    quarantined: int
    corrupt_bytes: int
    adopted: int
    sinks: Mapping[str, SinkStats]
