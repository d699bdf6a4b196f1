"""From a sighting to the values of its record or amendment, all redacted."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from msgspec import Struct

from otel_guard.capture.grading import Grade, facts
from otel_guard.capture.recognition import Recognised
from otel_guard.capture.roots import route_of
from otel_guard.capture.seen import Seen
from otel_guard.capture.stats import place_attributes
from otel_guard.capture.traceback import MESSAGE_LIMIT, Raised, Tracebacks
from otel_guard.core import fingerprint as recipe
from otel_guard.core import redaction, semconv
from otel_guard.core.marks import Mark
from otel_guard.core.record import Amendment, Context, ErrorRecord, Repeat, Severity
from otel_guard.runtime.text import safe_text

UNKNOWN_TYPE: Final = "Error"
OWN_EVENT: Final = "_otel_guard_sentry"
USER_LIMIT: Final = 200
TRAIL_FIELDS: Final = ("offset_ms", "context", "name", "duration_ms", "outcome")


class Redacts(Protocol):
    """What is asked of the redactor."""

    def text(self, text: str) -> str:
        """*text* without secrets."""
        ...

    def mapping(self, values: Mapping[str, object]) -> dict[str, object]:
        """JSON-like *values* without secrets."""
        ...


class Read(Struct, kw_only=True):
    """A failure's type, message and what its fingerprint is made of; *raised* where there is an exception."""

    error_type: str
    message: str | None  # None: not read yet
    raised: Raised | None


class Recording:
    """Reads sightings; keeps nothing."""

    def __init__(
        self, redactor: Redacts, tracebacks: Tracebacks, place: Callable[[], dict[str, object] | None]
    ) -> None:
        """*place* finds the application's line of a failure without traceback."""
        self._redactor = redactor
        self._tracebacks = tracebacks
        self._place = place

    def read(self, seen: Seen) -> Read:
        """Type and message of what was seen."""
        return self.complete(seen, self.glance(seen))

    def glance(self, seen: Seen) -> Read:
        """What is needed to know a failure again: an exception's message is not read."""
        if seen.exc is None:
            return Read(error_type=seen.error_type or UNKNOWN_TYPE, message=self._status_message(seen), raised=None)
        raised = self._tracebacks.glance(seen.exc, with_callers=seen.has_callers)
        return Read(error_type=raised.error_type, message=None, raised=raised)

    def complete(self, seen: Seen, read: Read) -> Read:
        """Read the exception's message too."""
        if read.message is None and read.raised is not None and seen.exc is not None:
            read.message = self._tracebacks.message(seen.exc, seen.message if seen.is_said else None)
            read.raised.message = read.message
        return read

    def parts(self, seen: Seen, read: Read, context: Context) -> tuple[str, ...]:
        """What the fingerprint is made of."""
        system, raised = seen.kind.system, read.raised
        if raised is not None and raised.stack.frames:
            return recipe.parts_of_exception(read.error_type, context, system, raised.stack.application)
        message = self.complete(seen, read).message or ""
        return recipe.parts_of_status(read.error_type, context, system, seen.kind.operation, message)

    def record(
        self,
        seen: Seen,
        read: Read,
        graded: Grade,
        known: Recognised,
        parts: tuple[str, ...],
        fingerprint: str,
        record_id: str,
        seq: int,
    ) -> ErrorRecord:
        """The record of a new failure."""
        raised = read.raised
        return ErrorRecord(
            id=record_id,
            seq=seq,
            error_type=read.error_type,
            message=read.message or "",
            context=graded.context,
            severity=graded.severity,
            fingerprint=fingerprint,
            title=recipe.title(read.error_type, read.message or ""),
            parts=parts,
            error_class=graded.error_class,
            user_id=self.user(seen),
            metadata=self._metadata(seen, raised),
            stack_trace=self._tracebacks.stack(seen.exc, raised) if seen.exc is not None and raised else None,
            handled=not seen.is_unhandled,
            caused_by=known.caused_by or seen.caused_by,
            system=seen.kind.system,
            operation=self._redactor.text(seen.kind.operation) or None,
            route=seen.route or route_of(seen.root),
            trace_id=seen.trace_hex,
            span_id=seen.span_hex,
            sentry_event_id=own_event(seen.exc),
            reportable=graded.is_reportable,
        )

    def amendment(self, seen: Seen, mark: Mark, known: Recognised, severity: Severity | None) -> Amendment:
        """What this sighting knows beyond the first; *severity*: the risen one, None if it stays."""
        read = self.read(seen) if known.adds_stack and not mark.has_stack else None
        raised = read.raised if read is not None else None
        stack = self._tracebacks.stack(seen.exc, raised) if seen.exc is not None and raised is not None else None
        is_late = seen.is_unhandled or seen.way == "capture"
        metadata = self._late_metadata(seen, mark, is_wrapped=known.is_wrapped)
        return Amendment(
            id=mark.record_id,
            fingerprint=mark.fingerprint,
            title=mark.title,
            of_context=mark.context,
            of_severity=mark.severity,
            severity=seen.severity or severity,
            context=seen.context,
            final=seen.severity is not None or seen.context is not None,
            handled=False if seen.is_unhandled and mark.handled is not False else None,
            user_id=self._late_user_id(seen, mark),
            route=(seen.route or route_of(seen.root)) if is_late else None,
            error_type=raised.error_type if raised is not None else None,
            message=raised.message if raised is not None else None,
            stack_trace=stack,
            metadata=self._redactor.mapping(metadata) if metadata else None,
            sentry_event_id=own_event(seen.exc) if mark.sentry_event_id is None else None,
            reportable=True if is_late else None,
            trace_id=mark.trace_id,
        )

    def user(self, seen: Seen) -> str | None:
        """The user of a sighting: as given, of the request, of the span."""
        value: object = seen.user_id or (seen.root.user_id if seen.root else None)
        value = value or seen.attributes.get(semconv.USER_ID) or seen.attributes.get(semconv.ENDUSER_ID)
        return self.clean(safe_text(value, USER_LIMIT)) if value else None

    def clean(self, text: str) -> str:
        """*text* without secrets."""
        return self._redactor.text(text)

    def _metadata(self, seen: Seen, raised: Raised | None) -> dict[str, object]:
        metadata: dict[str, object] = dict(seen.metadata)
        if kept := facts(seen.attributes):
            metadata["attributes"] = kept
        if seen.logged:
            metadata["logged"] = seen.logged
        if seen.root is not None and seen.root.trail:
            metadata["trail"] = [dict(zip(TRAIL_FIELDS, step, strict=True)) for step in tuple(seen.root.trail)]
        clean = self._redactor.mapping(metadata)
        place = place_attributes(raised.stack.place) if raised is not None else self._place()
        return clean | {"place": place} if place else clean

    def _late_user_id(self, seen: Seen, mark: Mark) -> str | None:
        """The first that is known stays."""
        if mark.user_id is not None or not (seen.user_id or seen.is_unhandled):
            return None
        return self.user(seen)

    def _late_metadata(self, seen: Seen, mark: Mark, *, is_wrapped: bool) -> dict[str, object]:
        metadata: dict[str, object] = dict(seen.metadata)
        if is_wrapped and seen.exc is not None:
            raised = self._tracebacks.read(seen.exc, with_callers=False)
            place = place_attributes(raised.stack.place)
            wrapper: dict[str, object] = {"type": raised.error_type, "message": raised.message}
            metadata["raised_as"] = wrapper | {"place": place} if place else wrapper
        if seen.logged and not mark.is_logged:
            metadata["logged"] = seen.logged
        return metadata

    def _status_message(self, seen: Seen) -> str:
        text = safe_text(seen.message or "")
        if seen.kind.context == "database":
            text = redaction.first_line_of_status(text)
        return redaction.cut(self._redactor.text(text), MESSAGE_LIMIT) or f"{seen.kind.operation} failed"


def later(mark: Mark, *, user_id: str | None = None, sentry_event_id: str | None = None) -> Amendment:
    """What became known only after the record was made: the user (redacted), the application's own event."""
    return Amendment(
        id=mark.record_id,
        fingerprint=mark.fingerprint,
        title=mark.title,
        of_context=mark.context,
        of_severity=mark.severity,
        user_id=user_id,
        sentry_event_id=sentry_event_id,
        trace_id=mark.trace_id,
    )


def again(read: Read, mark: Mark) -> Repeat:
    """The repeat row of an exception object that was raised anew."""
    return Repeat(
        id="",
        seq=0,
        n=1,
        error_type=read.error_type,
        message=read.message or "",
        context=mark.context,
        severity=mark.severity,
        fingerprint=mark.fingerprint,
        title=mark.title,
        parts=(),
    )


def own_event(exc: BaseException | None) -> str | None:
    """The id of the application's own Sentry event of *exc*, if it was sent before us."""
    value = getattr(exc, "__dict__", {}).get(OWN_EVENT) if exc is not None else None
    return value if isinstance(value, str) else None


def says_nothing(amendment: Amendment) -> bool:
    """Whether an amendment brings nothing new."""
    fields = ("severity", "context", "handled", "user_id", "error_type", "metadata", "sentry_event_id")
    return all(getattr(amendment, field) is None for field in fields)


def repeat_of(record: ErrorRecord) -> Repeat:
    """The fields of *record*'s repeat rows; id, number and count come when they are counted."""
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
