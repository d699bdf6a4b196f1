"""`watch`: the application's own calls, as a decorator or a context manager."""

from collections.abc import Callable
from typing import Any

from opentelemetry.trace import SpanKind

from otel_guard.core import semconv
from otel_guard.core.outcome import Attribute, Facts
from otel_guard.core.record import Context, Severity
from otel_guard.instrumentation._engine import SYNC, Block, Book, Call, Engine, Instrumentation, Run, Target


def watching(
    engine: Callable[[], Engine | None],
    name: str,
    *,
    context: Context = "other",
    system: str | None = None,
    severity: Severity | None = None,
) -> Block:
    """An INTERNAL span of each call; without an engine (not configured yet) nothing.

    *engine* is asked at each call: decorators run before `configure()`.
    """
    target = _target(name, context, system, severity)
    table = Instrumentation(
        name="watch", requires="", context=context, system=system, span_kind=SpanKind.INTERNAL, may_nest=True
    )
    books: dict[int, Book] = {}

    def begin(_: tuple[Any, ...]) -> Run | None:
        watched = engine()
        if watched is None:
            return None
        if id(watched) not in books:
            books.clear()
            books[id(watched)] = watched.book(table)
        return watched.begin(books[id(watched)], target, Call(None, (), {}, ()))

    return Block(begin)


def _target(name: str, context: Context, system: str | None, severity: Severity | None) -> Target:
    attributes: dict[str, Attribute] = {semconv.GUARD_CONTEXT: context}
    if system is not None:
        attributes[semconv.GUARD_SYSTEM] = system
    if severity is not None:
        attributes[semconv.GUARD_SEVERITY] = severity
    facts = Facts(name, attributes, {})
    return Target(module="", name=name, kind=SYNC, describe=lambda _call: facts)
