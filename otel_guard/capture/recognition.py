"""Has this failure been seen before: by its mark, by its chain, by a status-only record of the same request."""

from msgspec import Struct

from otel_guard.capture.roots import Kept
from otel_guard.capture.seen import Seen
from otel_guard.core import classify, error_class, marks
from otel_guard.core.marks import Mark, Sighting


class Recognised(Struct, frozen=True, kw_only=True):
    """What was found; *marks* are those to amend, empty for a new failure."""

    marks: tuple[Mark, ...] = ()
    carriers: tuple[BaseException | None, ...] = ()  # the exceptions that bear them
    is_wrapped: bool = False
    is_repeat: bool = False
    is_ignored: bool = False
    caused_by: str | None = None
    adds_stack: bool = False


def recognise(seen: Seen, writer_id: str, now_ms: int) -> Recognised:
    """Find the failure that *seen* is a sighting of."""
    if seen.exc is None:
        return _by_request(seen)
    if isinstance(seen.exc, BaseExceptionGroup) and marks.get(seen.exc) is None:
        found = _by_leaves(seen.exc)
        if found is not None:
            return found
    sighting = Sighting(
        writer_id=writer_id,
        trace_id=seen.trace_hex,
        span_id=seen.span_hex,
        at_ms=now_ms,
        is_client_span=seen.way == "span" and seen.span_kind == classify.CLIENT,
        span_started_ms=seen.started_ms,
        is_span=seen.way == "span",
    )
    return _by_chain(seen.exc, sighting) or _by_response(seen) or Recognised()


def _by_chain(exc: BaseException, sighting: Sighting) -> Recognised | None:
    for node in marks.chain(exc):
        mark = marks.get(node)
        if mark is None:
            continue
        match marks.judge(mark, sighting, is_wrapped=node is not exc):
            case "sighting":
                return Recognised(
                    marks=(mark,), carriers=(node,), is_wrapped=node is not exc, is_ignored=not mark.record_id
                )
            case "repeat":
                return Recognised(marks=(mark,), carriers=(node,), is_repeat=True)
            case "new_caused_by":
                return Recognised(caused_by=mark.record_id)
            case _:
                return Recognised()
    return None


def _by_leaves(group: BaseExceptionGroup[BaseException]) -> Recognised | None:
    """All leaves marked: the group is a sighting of each."""
    leaves = marks.leaves(group)
    found = [(mark, leaf) for leaf in leaves if (mark := next(filter(None, map(marks.get, marks.chain(leaf))), None))]
    if not found or len(found) < len(leaves):
        return None
    return Recognised(marks=tuple(mark for mark, _ in found), carriers=tuple(leaf for _, leaf in found))


def _by_request(seen: Seen) -> Recognised:
    """A SERVER or CONSUMER span that failed without an exception, with a record below it: that one again."""
    if seen.span_kind in {classify.SERVER, classify.CONSUMER} and seen.root is not None and seen.root.records:
        return Recognised(marks=(seen.root.records[-1].mark,), carriers=(None,))
    return Recognised()


def _by_response(seen: Seen) -> Recognised | None:
    """`raise_for_status()`: the exception's response has status and host of a status-only record of this request."""
    response = getattr(seen.exc, "response", None)
    if response is None or seen.root is None:
        return None
    status = getattr(response, "status_code", getattr(response, "status", None))
    url = str(getattr(response, "url", ""))
    host = classify.host_of({"url.full": url}) if url else None
    for kept in reversed(seen.root.records):
        if kept.status is not None and kept.status == status and kept.host in {host, None}:
            return Recognised(marks=(kept.mark,), carriers=(seen.exc,), adds_stack=True)
    return None


def kept_of(mark: Mark, seen: Seen, *, is_status_only: bool) -> Kept:
    """What the request remembers of its record."""
    if not is_status_only:
        return Kept(mark)
    return Kept(mark, error_class.status_of(seen.attributes), classify.host_of(seen.attributes))
