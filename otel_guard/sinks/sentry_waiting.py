"""Which records still wait: amendments told meanwhile, what is settled already, what was set aside."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final, Literal

from otel_guard.core.record import Amendment, ErrorRecord, Record, created_at_ms
from otel_guard.runtime.clock import Clock
from otel_guard.sinks.sentry_merge import merge

WAIT_S: Final = 10.0
MAX_SETTLED: Final = 10_000
MAX_TOLD: Final = 1_000
MAX_CHANGES: Final = 50
MAX_ASIDE: Final = 50

Verdict = Literal["settled", "wait", "skip", "send"]


class Waiting:
    """What the sink remembers between two looks at the same records; only `tell` is called by other threads."""

    def __init__(self, root_ended: Callable[[str], bool], clock: Clock) -> None:
        self._root_ended = root_ended
        self._clock = clock
        self._told: deque[Amendment] = deque(maxlen=MAX_TOLD)
        self._changes: dict[str, list[Amendment]] = {}
        self._first_seen: dict[str, float] = {}
        self._settled: dict[str, None] = {}  # in order, oldest first
        self._aside: dict[str, ErrorRecord] = {}

    def tell(self, amendment: Amendment) -> None:
        """Take an amendment before its frame is read."""
        self._told.append(amendment)

    def learn(self, records: Iterable[Record]) -> list[ErrorRecord]:
        """Take the amendments of *records*; give the records set aside that became reportable by them."""
        while self._told:
            self._change(self._told.popleft())
        for record in records:
            if isinstance(record, Amendment):
                self._change(record)
        _shorten(self._changes, MAX_TOLD)
        merged = [merge(self._aside[name], self._changes[name]) for name in self._aside.keys() & self._changes.keys()]
        return [record for record in merged if record.reportable]

    def judge(self, record: ErrorRecord, *, is_open: bool) -> tuple[ErrorRecord, Verdict]:
        """Give *record* as amended so far and what is to be done; *is_open*: the application may still report it."""
        if record.id in self._settled:
            return record, "settled"
        record = merge(record, self._changes.get(record.id, ()))
        if not record.sentry_event_id:
            if is_open and not self._is_over(record):
                return record, "wait"
            if record.reportable:
                return record, "send"
        self.settle(record, is_aside=not record.sentry_event_id)
        return record, "skip"

    def _is_over(self, record: ErrorRecord) -> bool:
        """Whether the application has had its chance to report it itself."""
        if record.trace_id is not None and self._root_ended(record.trace_id):
            return True
        # Two clocks: the wall clock counts through a restart, the monotonic one through a step of the wall clock.
        now = self._clock.monotonic()
        first_seen = self._first_seen.setdefault(record.id, now)
        age_s = (self._clock.now_ms() - created_at_ms(record.id)) / 1000
        return bool(age_s >= WAIT_S or now - first_seen >= WAIT_S)

    def settle(self, record: ErrorRecord, *, is_aside: bool = False) -> None:
        """Remember that nothing more is to be done about *record*, unless, set aside, it becomes reportable."""
        self._settled[record.id] = None
        _shorten(self._settled, MAX_SETTLED)
        self._first_seen.pop(record.id, None)
        self._changes.pop(record.id, None)
        self._aside.pop(record.id, None)
        if is_aside:
            self._aside[record.id] = record
            _shorten(self._aside, MAX_ASIDE)

    def _change(self, amendment: Amendment) -> None:
        if amendment.id in self._settled and amendment.id not in self._aside:
            return
        known = self._changes.setdefault(amendment.id, [])
        if amendment not in known:
            known.append(amendment)
            del known[:-MAX_CHANGES]


def _shorten(known: dict[str, Any], limit: int) -> None:
    while len(known) > limit:
        del known[next(iter(known))]
