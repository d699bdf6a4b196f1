"""The one way from a sighting to the journal: recognise, grade, redact, identify, append, mark."""

import queue
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from otel_guard.capture.grading import Grade, facts, grade, risen
from otel_guard.capture.recognition import Recognised, kept_of, recognise
from otel_guard.capture.roots import LAST_RECORDS, route_of
from otel_guard.capture.seen import Seen
from otel_guard.capture.stats import place_attributes
from otel_guard.capture.traceback import Raised, Tracebacks, type_name
from otel_guard.core import fingerprint as recipe
from otel_guard.core import marks, redaction, semconv
from otel_guard.core.bucket import Buckets
from otel_guard.core.marks import Mark
from otel_guard.core.record import Amendment, ErrorRecord, Record, Repeat
from otel_guard.runtime.clock import Clock
from otel_guard.runtime.ids import uuid7
from otel_guard.runtime.text import safe_text
from otel_guard.settings.tree import ClassifyRow

UNKNOWN_TYPE: Final = "Error"


class Redacts(Protocol):
    """What the pipeline asks of the redactor."""

    def text(self, text: str) -> str:
        """*text* without secrets."""
        ...

    def mapping(self, values: Mapping[str, object]) -> dict[str, object]:
        """JSON-like *values* without secrets."""
        ...


class Writes(Protocol):
    """What the pipeline asks of the journal."""

    @property
    def writer_id(self) -> str:
        """This process's journal."""
        ...

    def append(self, record: Record) -> bool:
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
        redactor: Redacts,
        tracebacks: Tracebacks,
        rows: Iterable[ClassifyRow],
        clock: Clock,
        place: Callable[[], dict[str, object] | None],
        on_amendment: Callable[[Amendment], None],
    ) -> None:
        """*place* finds the application's line of a failure without traceback."""
        self._journal = journal
        self._redactor = redactor
        self._tracebacks = tracebacks
        self._rows = tuple(rows)
        self._clock = clock
        self._place = place
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
            self._repeat_of(known.marks[0], seen)
            return None
        if known.marks:
            for mark, carrier in zip(known.marks, known.carriers, strict=True):
                self._amend(seen, mark, carrier, known)
            return known.marks[0].record_id
        return self._record(seen, known, now_ms)

    def emit_repeats(self) -> None:
        """Append what storms counted, one frame a fingerprint."""
        counted: dict[str, tuple[Repeat, int]] = {}
        while not self._repeats.empty():
            repeat = self._repeats.get()
            counted[repeat.fingerprint] = (repeat, counted.get(repeat.fingerprint, (repeat, 0))[1] + 1)
        now_ms = self._clock.now_ms()
        for repeat, n in counted.values():
            self._journal.append(msgspec.structs.replace(repeat, id=uuid7(now_ms), seq=self._journal.next_seq(), n=n))

    def forget_all(self) -> None:
        """After a fork: what the parent counted is the parent's."""
        self._repeats = queue.SimpleQueue()

    def _record(self, seen: Seen, known: Recognised, now_ms: int) -> str | None:
        exc = seen.exc
        raised = None if exc is None else self._tracebacks.read(exc, with_callers=seen.has_callers)
        error_type = raised.error_type if raised else seen.error_type or UNKNOWN_TYPE
        message = raised.message if raised else self._status_message(seen)
        graded = grade(seen, error_type, message, self._rows)
        parts = self._parts(seen, raised, graded, error_type, message)
        key = recipe.fingerprint(parts)
        if graded.is_ignored:
            self.counts.ignored += 1
            self._mark(seen, "", key, "", graded, has_stack=True)
            return None
        if (past := self._buckets.past(key, self._clock.monotonic())) is not None:
            self.counts.repeated += 1
            self._repeats.put(past)
            self._mark(seen, "", key, "", graded, has_stack=True)
            return None
        record = self._build(seen, known, raised, graded, error_type, message, parts, key, uuid7(now_ms))
        self._buckets.remember(_repeat(record), self._clock.monotonic())
        self._mark(seen, record.id, key, record.title, graded, has_stack=raised is not None)
        self.counts.emitted += self._journal.append(record)
        return record.id

    def _build(
        self,
        seen: Seen,
        known: Recognised,
        raised: Raised | None,
        graded: Grade,
        error_type: str,
        message: str,
        parts: tuple[str, ...],
        key: str,
        record_id: str,
    ) -> ErrorRecord:
        place = place_attributes(raised.place) if raised else self._place()
        metadata = dict(seen.metadata)
        if kept := facts(seen.attributes):
            metadata["attributes"] = kept
        if seen.logged:
            metadata["logged"] = seen.logged
        clean = self._redactor.mapping(metadata)
        if place:
            clean["place"] = place
        if seen.root is not None and seen.root.trail:
            clean["trail"] = trail_of(seen)
        return ErrorRecord(
            id=record_id,
            seq=self._journal.next_seq(),
            error_type=error_type,
            message=message,
            context=graded.context,
            severity=graded.severity,
            fingerprint=key,
            title=recipe.title(error_type, message),
            parts=parts,
            error_class=graded.error_class,
            user_id=self._user(seen),
            metadata=clean,
            stack_trace=self._tracebacks.stack(seen.exc, raised) if seen.exc is not None and raised else None,
            handled=not seen.is_unhandled,
            caused_by=known.caused_by,
            system=seen.kind.system,
            operation=self._redactor.text(seen.kind.operation) or None,
            route=seen.route or route_of(seen.root),
            trace_id=seen.trace_hex,
            span_id=seen.span_hex,
            sentry_event_id=own_event(seen.exc),
            reportable=graded.is_reportable,
        )

    def _amend(self, seen: Seen, mark: Mark, carrier: BaseException | None, known: Recognised) -> None:
        """Journal what this sighting knows beyond the first."""
        metadata: dict[str, object] = dict(seen.metadata)
        if known.is_wrapped and seen.exc is not None:
            metadata["raised_as"] = self._wrapper(seen.exc)
        if seen.logged:
            metadata["logged"] = seen.logged
        severity, context = seen.severity, seen.context
        is_final = severity is not None or context is not None
        if severity is None and not mark.is_explicit:
            severity = risen(seen, mark.severity)
        stack = None
        if known.adds_stack and seen.exc is not None and not mark.has_stack:
            raised = self._tracebacks.read(seen.exc, with_callers=seen.has_callers)
            stack = (raised.error_type, raised.message, self._tracebacks.stack(seen.exc, raised))
        handled = False if seen.is_unhandled and mark.handled is not False else None
        amendment = Amendment(
            id=mark.record_id,
            fingerprint=mark.fingerprint,
            title=mark.title,
            of_context=mark.context,
            of_severity=mark.severity,
            severity=severity,
            context=context,
            final=is_final,
            handled=handled,
            user_id=self._user(seen) if seen.user_id or seen.is_unhandled else None,
            route=(seen.route or route_of(seen.root)) if seen.is_unhandled or seen.way == "capture" else None,
            error_type=stack[0] if stack else None,
            message=stack[1] if stack else None,
            stack_trace=stack[2] if stack else None,
            metadata=self._redactor.mapping(metadata) if metadata else None,
            sentry_event_id=own_event(seen.exc),
            reportable=True if seen.way == "capture" or handled is False else None,
            trace_id=mark.trace_id,
        )
        if _says_nothing(amendment):
            return
        self._remark(carrier, seen, mark, amendment, has_stack=mark.has_stack or stack is not None)
        self.counts.amended += self._journal.append(amendment)
        self._on_amendment(amendment)

    def _repeat_of(self, mark: Mark, seen: Seen) -> None:
        past = self._buckets.past(mark.fingerprint, self._clock.monotonic())
        repeat = past or Repeat(
            id="",
            seq=0,
            n=1,
            error_type=type_name(seen.exc) if seen.exc else UNKNOWN_TYPE,
            message=self._tracebacks.message(seen.exc) if seen.exc else "",
            context=mark.context,
            severity=mark.severity,
            fingerprint=mark.fingerprint,
            title=mark.title,
            parts=(),
        )
        self.counts.repeated += 1
        self._repeats.put(repeat)

    def _wrapper(self, exc: BaseException) -> dict[str, object]:
        raised = self._tracebacks.read(exc, with_callers=False)
        place = place_attributes(raised.place)
        return {"type": raised.error_type, "message": raised.message, **({"place": place} if place else {})}

    def _status_message(self, seen: Seen) -> str:
        text = safe_text(seen.message or "")
        if seen.kind.context == "database":
            text = redaction.first_line_of_status(text)
        return redaction.cut(self._redactor.text(text), 8 * 1024) or f"{seen.kind.operation} failed"

    def _parts(
        self, seen: Seen, raised: Raised | None, graded: Grade, error_type: str, message: str
    ) -> tuple[str, ...]:
        if raised is not None and raised.frames:
            return recipe.parts_of_exception(error_type, graded.context, seen.kind.system, raised.application_frames)
        return recipe.parts_of_status(error_type, graded.context, seen.kind.system, seen.kind.operation, message)

    def _user(self, seen: Seen) -> str | None:
        value: object = seen.user_id or (seen.root.user_id if seen.root else None)
        value = value or seen.attributes.get(semconv.USER_ID) or seen.attributes.get(semconv.ENDUSER_ID)
        return self._redactor.text(safe_text(value, 200)) if value else None

    def _mark(self, seen: Seen, record_id: str, key: str, title: str, graded: Grade, *, has_stack: bool) -> None:
        mark = Mark(
            record_id=record_id,
            writer_id=self._journal.writer_id,
            trace_id=seen.trace_hex,
            span_id=seen.span_hex,
            ancestors=seen.ancestors,
            fingerprint=key,
            title=title,
            context=graded.context,
            severity=graded.severity,
            is_explicit=graded.is_explicit,
            handled=not seen.is_unhandled,
            has_stack=has_stack,
        )
        if seen.exc is not None:
            marks.put(seen.exc, mark)
        if seen.root is not None and record_id:
            seen.root.records.append(kept_of(mark, seen, is_status_only=seen.exc is None))

    def _remark(
        self, carrier: BaseException | None, seen: Seen, mark: Mark, amendment: Amendment, *, has_stack: bool
    ) -> None:
        """Remember on the exception and in the request what the row now says."""
        new = msgspec.structs.replace(
            mark,
            severity=amendment.severity or mark.severity,
            context=amendment.context or mark.context,
            is_explicit=mark.is_explicit or amendment.final,
            handled=mark.handled if amendment.handled is None else amendment.handled,
            has_stack=has_stack,
        )
        if carrier is not None:
            marks.put(carrier, new)
        if seen.root is not None:
            for number in range(min(len(seen.root.records), LAST_RECORDS)):
                if seen.root.records[number].mark.record_id == mark.record_id:
                    seen.root.records[number].mark = new


OWN_EVENT: Final = "_otel_guard_sentry"


def own_event(exc: BaseException | None) -> str | None:
    """The id of the application's own Sentry event of *exc*, if it was sent before us."""
    value = getattr(exc, "__dict__", {}).get(OWN_EVENT) if exc is not None else None
    return value if isinstance(value, str) else None


def trail_of(seen: Seen) -> list[object]:
    """The calls of this request before the failure."""
    names = ("offset_ms", "context", "name", "duration_ms", "outcome")
    steps = tuple(seen.root.trail) if seen.root is not None else ()
    return [dict(zip(names, step, strict=True)) for step in steps]


def _says_nothing(amendment: Amendment) -> bool:
    fields = ("severity", "context", "handled", "user_id", "error_type", "metadata", "sentry_event_id")
    return all(getattr(amendment, field) is None for field in fields)


def _repeat(record: ErrorRecord) -> Repeat:
    return Repeat(
        id="",
        seq=0,
        n=1,
        error_type=record.error_type,
        message=record.message,
        context=record.context,
        severity=record.severity,
        fingerprint=record.fingerprint,
        title=record.title,
        parts=record.parts,
        error_class=record.error_class,
        system=record.system,
        operation=record.operation,
    )
