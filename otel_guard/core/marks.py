"""What an exception carries so that its failure is recognised when it is seen again."""

from collections.abc import Iterator
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import astuple

from otel_guard.core.record import Context, Severity, created_at_ms

KEY: Final = "_otel_guard"
MAX_NODES: Final = 50
FOREIGN_WRITER_S: Final = 600
REUSED_AFTER_MS: Final = 5000


class Mark(Struct, frozen=True, array_like=True, kw_only=True):
    """One failure's identity; on the exception it is a plain tuple of builtins, so it survives pickling."""

    record_id: str  # empty: ignored by a [[classify]] row
    writer_id: str
    trace_id: str | None
    span_id: str | None
    ancestors: tuple[str, ...]  # span ids above the one that saw it first
    fingerprint: str
    title: str
    context: Context
    severity: Severity
    is_explicit: bool
    handled: bool | None = None
    has_stack: bool = True
    is_logged: bool = False  # `metadata.logged` holds the first log of it
    user_id: str | None = None
    sentry_event_id: str | None = None  # of the application's own event

    @property
    def at_ms(self) -> int:
        """When the failure was first seen, Unix milliseconds."""
        return created_at_ms(self.record_id) if self.record_id else 0


class Sighting(Struct, frozen=True, kw_only=True):
    """Where and when a marked exception is seen (again)."""

    writer_id: str
    trace_id: str | None
    span_id: str | None
    at_ms: int
    is_client_span: bool = False
    span_started_ms: int | None = None
    is_span: bool = False


Verdict = Literal["new", "new_caused_by", "sighting", "repeat"]


def put(exc: BaseException, mark: Mark) -> bool:
    """Put *mark* on *exc*; False where it has no `__dict__` (at worst two rows)."""
    try:
        exc.__dict__[KEY] = astuple(mark)
    except Exception:
        return False
    return True


def get(exc: BaseException) -> Mark | None:
    """The mark on *exc* itself; None too for what another version left there."""
    try:
        values = exc.__dict__.get(KEY)
    except Exception:
        return None
    if type(values) is not tuple or len(values) != len(Mark.__struct_fields__):
        return None
    return Mark(**dict(zip(Mark.__struct_fields__, values, strict=True)))


def chain(exc: BaseException, *, with_suppressed: bool = False) -> Iterator[BaseException]:
    """*exc*, then causes, unsuppressed contexts and members of groups, nearest first; 50 nodes, cycles are safe."""
    seen: set[int] = set()
    waiting = [exc]
    while waiting and len(seen) < MAX_NODES:
        node = waiting.pop(0)
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        waiting += _below(node, with_suppressed=with_suppressed)


def _below(exc: BaseException, *, with_suppressed: bool) -> list[BaseException]:
    below: list[BaseException] = []
    if exc.__cause__ is not None:
        below.append(exc.__cause__)
    elif exc.__context__ is not None and (with_suppressed or not exc.__suppress_context__):
        below.append(exc.__context__)
    if isinstance(exc, BaseExceptionGroup):
        below += exc.exceptions
    return below


def leaves(group: BaseException, limit: int = 20) -> list[BaseException]:
    """The single exceptions of a group, at most *limit*."""
    found: list[BaseException] = []
    waiting = [group]
    while waiting and len(found) < limit:
        node = waiting.pop(0)
        if isinstance(node, BaseExceptionGroup):
            waiting += node.exceptions
        else:
            found.append(node)
    return found


def judge(mark: Mark, seen: Sighting, *, is_wrapped: bool) -> Verdict:
    """Decide whether a marked exception is the same failure (instrumentation.md, section 9.4; first row that fits)."""
    if not mark.record_id:
        return "sighting"
    age_ms = seen.at_ms - mark.at_ms
    if mark.writer_id != seen.writer_id:
        return "sighting" if age_ms < FOREIGN_WRITER_S * 1000 else "new"
    if mark.trace_id and seen.trace_id and mark.trace_id != seen.trace_id:
        began_after = seen.span_started_ms is not None and seen.span_started_ms >= mark.at_ms
        return "new" if seen.is_client_span or began_after or age_ms > REUSED_AFTER_MS else "repeat"
    if seen.is_span and mark.span_id and seen.span_id not in (mark.span_id, *mark.ancestors):
        return "new_caused_by" if is_wrapped else "new"
    return "sighting"
