"""What a sink is: it takes a batch of one journal and answers with one of three values."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from otel_guard.core.record import Head, Record


class Batch(Struct, frozen=True, kw_only=True):
    """Records of one journal, in the order they were appended."""

    head: Head
    records: Sequence[Record]
    is_own: bool = True  # False: adopted from a dead process, so its traces count as ended


class Delivered(Struct, frozen=True):
    """The first *settled* records (None: all) are where they belong; the rest come again after *wait_s* seconds."""

    settled: int | None = None
    wait_s: float = 0.0


class Retry(Struct, frozen=True):
    """Nothing is settled; the same records come again, not before *after_s* seconds (None: the pump's own back-off)."""

    why: str
    after_s: float | None = None


class Quarantine(Struct, frozen=True):
    """The records *ids* can never be taken; the others of the batch are still to be delivered."""

    ids: frozenset[str]
    why: str


Outcome = Delivered | Retry | Quarantine


class Sink(Protocol):
    """A reader of the journal."""

    def deliver(self, batch: Batch) -> Outcome:
        """Deliver *batch*; may block up to its own deadline, never raises for the peer's trouble."""
        ...
