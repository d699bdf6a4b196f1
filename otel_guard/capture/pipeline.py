"""The one way from a sighting to the journal: recognise, grade, redact, identify, append, mark."""

import queue
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec
from msgspec import Struct

from otel_guard.capture.grading import Grade, grade, risen
from otel_guard.capture.recognition import Recognised, kept_of, recognise
from otel_guard.capture.recording import Read, Recording, again, later, own_event, repeat_of, says_nothing
from otel_guard.capture.roots import Root
from otel_guard.capture.seen import Seen
from otel_guard.core import fingerprint as recipe
from otel_guard.core import marks
from otel_guard.core.bucket import Buckets
from otel_guard.core.marks import Mark
from otel_guard.core.record import Amendment, Record, Repeat
from otel_guard.runtime.clock import Clock
from otel_guard.runtime.ids import uuid7
from otel_guard.settings.tree import ClassifyRow


class Writes(Protocol):
    """What is asked of the journal."""

    @property
    def writer_id(self) -> str:
        """This process's journal."""
        ...

    def append(self, record: Record, /) -> bool:
        """Keep *record*; False: dropped and counted."""
        ...

    def next_seq(self) -> int:
        """The next error's number."""
        ...


class Counts(Struct):
    """What the pipeline did, for our own metrics."""

    emitted: int = 0
    amended: int = 0
    repeated: int = 0
    ignored: int = 0


class Pipeline:
    """All ways in end here, in the application's thread."""

    def __init__(
        self,
        journal: Writes,
        recording: Recording,
        rows: Iterable[ClassifyRow],
        clock: Clock,
        on_amendment: Callable[[Amendment], None],
    ) -> None:
        self._journal = journal
        self._recording = recording
        self._rows = tuple(rows)
        self._clock = clock
        self._on_amendment = on_amendment
        self._buckets = Buckets()
        self._repeats: queue.SimpleQueue[Repeat] = queue.SimpleQueue()
        self.counts = Counts()

    def see(self, seen: Seen) -> str | None:
        """Take one sighting; the id of its record, None if it is ignored or only counted."""
        now_ms = self._clock.now_ms()
        known = recognise(seen, self._journal.writer_id, now_ms)
        if known.is_ignored:
            return None
        if known.is_repeat:
            self._count(again(self._recording.read(seen), known.marks[0]))
            return None
        if known.marks:
            for mark, carrier in zip(known.marks, known.carriers, strict=True):
                self._amend(seen, mark, carrier, known)
            return known.marks[0].record_id
        return self._record(seen, known, now_ms)

    def end_root(self, root: Root) -> None:
        """A request ends: its user may have become known after its records."""
        for kept in root.records:
            if root.user_id is not None and kept.mark.user_id is None:
                self._append_amendment(later(kept.mark, user_id=self._recording.clean(root.user_id)))

    def reported(self, exc: BaseException, mark: Mark, event_id: str) -> None:
        """The application's own Sentry SDK reports a failure that has a record."""
        if mark.record_id and mark.sentry_event_id is None:
            marks.put(exc, msgspec.structs.replace(mark, sentry_event_id=event_id))
            self._append_amendment(later(mark, sentry_event_id=event_id))

    def emit_repeats(self) -> None:
        """Append what storms counted, one frame a fingerprint."""
        counted: dict[str, tuple[Repeat, int]] = {}
        while not self._repeats.empty():
            repeat = self._repeats.get()
            counted[repeat.fingerprint] = (repeat, counted.get(repeat.fingerprint, (repeat, 0))[1] + 1)
        for repeat, n in counted.values():
            record_id, seq = uuid7(self._clock.now_ms()), self._journal.next_seq()
            self._journal.append(msgspec.structs.replace(repeat, id=record_id, seq=seq, n=n))

    def forget_all(self) -> None:
        """After a fork: what the parent counted is the parent's."""
        self._repeats = queue.SimpleQueue()

    def _record(self, seen: Seen, known: Recognised, now_ms: int) -> str | None:
        read = self._recording.glance(seen)
        if self._rows:  # they may ask for the message; a storm pays for it only then
            self._recording.complete(seen, read)
        graded = grade(seen, read.error_type, read.message or "", self._rows)
        parts = self._recording.parts(seen, read, graded.context)
        key, now = recipe.fingerprint(parts), self._clock.monotonic()
        past = None if graded.is_ignored else self._buckets.past(key, now)
        if graded.is_ignored or past is not None:
            self.counts.ignored += graded.is_ignored
            if past is not None:
                self._count(past)
            self._mark(seen, read, graded, key, "")
            return None
        self._recording.complete(seen, read)
        record_id, seq = uuid7(now_ms), self._journal.next_seq()
        record = self._recording.record(seen, read, graded, known, parts, key, record_id, seq)
        self._buckets.remember(repeat_of(record), now)
        self._mark(seen, read, graded, key, record_id)
        self.counts.emitted += self._journal.append(record)
        return record_id

    def _amend(self, seen: Seen, mark: Mark, carrier: BaseException | None, known: Recognised) -> None:
        amendment = self._recording.amendment(
            seen, mark, known, None if mark.is_explicit else risen(seen, mark.severity)
        )
        if not says_nothing(amendment):
            self._remark(carrier, seen, mark, amendment)
            self._append_amendment(amendment)

    def _append_amendment(self, amendment: Amendment) -> None:
        self.counts.amended += self._journal.append(amendment)
        self._on_amendment(amendment)

    def _count(self, repeat: Repeat) -> None:
        self.counts.repeated += 1
        self._repeats.put(repeat)

    def _mark(self, seen: Seen, read: Read, graded: Grade, key: str, record_id: str) -> None:
        mark = Mark(
            record_id=record_id,
            writer_id=self._journal.writer_id,
            trace_id=seen.trace_hex,
            span_id=seen.span_hex,
            ancestors=seen.ancestors,
            fingerprint=key,
            title=recipe.title(read.error_type, read.message or ""),
            context=graded.context,
            severity=graded.severity,
            is_explicit=graded.is_explicit,
            handled=not seen.is_unhandled,
            has_stack=read.raised is not None,
            is_logged=seen.logged is not None,
            user_id=self._recording.user(seen),
            sentry_event_id=own_event(seen.exc),
        )
        if seen.exc is not None:
            marks.put(seen.exc, mark)
        if seen.root is not None and record_id:
            seen.root.records.append(kept_of(mark, seen, is_status_only=seen.exc is None))

    def _remark(self, carrier: BaseException | None, seen: Seen, mark: Mark, amendment: Amendment) -> None:
        """Remember on the exception and in the request what the row now says."""
        new = msgspec.structs.replace(
            mark,
            severity=amendment.severity or mark.severity,
            context=amendment.context or mark.context,
            is_explicit=mark.is_explicit or amendment.final,
            handled=mark.handled if amendment.handled is None else amendment.handled,
            has_stack=mark.has_stack or amendment.stack_trace is not None,
            is_logged=mark.is_logged or seen.logged is not None,
            user_id=amendment.user_id or mark.user_id,
            sentry_event_id=amendment.sentry_event_id or mark.sentry_event_id,
        )
        if carrier is not None:
            marks.put(carrier, new)
        if carrier is not None and seen.exc is not None and not isinstance(seen.exc, BaseExceptionGroup):
            marks.put(seen.exc, new)  # a wrapper's next sighting has nothing new to say
        for kept in seen.root.records if seen.root is not None else ():
            if kept.mark.record_id == mark.record_id:
                kept.mark = new
