"""`watch`: the application's own calls, as a decorator or a context manager."""

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Final, TypeVar, cast

from opentelemetry.trace import SpanKind

from otel_guard.core import semconv
from otel_guard.core.outcome import Attribute, Facts
from otel_guard.core.record import Context, Severity
from otel_guard.instrumentation._engine import SYNC, Book, Call, Engine, Instrumentation, Run, Target

F = TypeVar("F", bound=Callable[..., Any])

_opened: Final[ContextVar[tuple[tuple[int, Run | None], ...]]] = ContextVar("otel_guard_watch", default=())


class Watch:
    """Makes an INTERNAL span of each call; without an engine (not configured yet) it does nothing."""

    def __init__(
        self,
        engine: Callable[[], Engine | None],
        name: str,
        *,
        context: Context = "other",
        system: str | None = None,
        severity: Severity | None = None,
    ) -> None:
        """*engine* is asked at each call: decorators run before `configure()`."""
        self._engine = engine
        self._target = _target(name, context, system, severity)
        self._table = Instrumentation(
            name="watch", requires="", context=context, system=system, span_kind=SpanKind.INTERNAL, may_nest=True
        )
        self._book: tuple[Engine, Book] | None = None

    def __call__(self, function: F) -> F:
        """Decorate a `def` or an `async def`."""
        make = self._async if inspect.iscoroutinefunction(function) else self._sync
        return cast("F", functools.wraps(function)(make(function)))

    def __enter__(self) -> None:
        _opened.set((*_opened.get(), (id(self), self._begin())))

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        opened = _opened.get()
        place = next((place for place in range(len(opened) - 1, -1, -1) if opened[place][0] == id(self)), None)
        if place is None:
            return
        _opened.set(opened[:place] + opened[place + 1 :])
        run = opened[place][1]
        if run is not None and exc is not None:
            run.failed(exc)
        elif run is not None:
            run.returned(None)

    def _begin(self) -> Run | None:
        engine = self._engine()
        if engine is None:
            return None
        if self._book is None or self._book[0] is not engine:
            self._book = (engine, engine.book(self._table))
        return engine.begin(self._book[1], self._target, Call(None, (), {}, ()))

    def _sync(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            run = self._begin()
            if run is None:
                return function(*args, **kwargs)
            try:
                value = function(*args, **kwargs)
            except BaseException as exc:
                run.failed(exc)
                raise
            run.returned(value)
            return value

        return watched

    def _async(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def watched(*args: Any, **kwargs: Any) -> Any:
            run = self._begin()
            if run is None:
                return await function(*args, **kwargs)
            try:
                value = await function(*args, **kwargs)
            except BaseException as exc:
                run.failed(exc)
                raise
            run.returned(value)
            return value

        return watched


def _target(name: str, context: Context, system: str | None, severity: Severity | None) -> Target:
    attributes: dict[str, Attribute] = {semconv.GUARD_CONTEXT: context}
    if system is not None:
        attributes[semconv.GUARD_SYSTEM] = system
    if severity is not None:
        attributes[semconv.GUARD_SEVERITY] = severity
    facts = Facts(name, attributes, {})
    return Target(module="", name=name, kind=SYNC, describe=lambda _call: facts)
