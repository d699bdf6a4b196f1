"""The application's own calls: one object that is a decorator and a context manager."""

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Final, TypeVar, cast

from otel_guard.instrumentation._engine_run import Run

F = TypeVar("F", bound=Callable[..., Any])
Begin = Callable[[tuple[Any, ...]], Run | None]

_opened: Final[ContextVar[tuple[tuple[int, Run | None], ...]]] = ContextVar("otel_guard_blocks", default=())


class Block:
    """Begins a run for each call or `with`; None from *begin*: it passes through."""

    def __init__(self, begin: Begin) -> None:
        """*begin* gets the positional arguments of a decorated function; none of a `with`."""
        self._begin = begin

    def __call__(self, function: F) -> F:
        """Decorate a `def` or an `async def`."""
        make = self._async if inspect.iscoroutinefunction(function) else self._sync
        return cast("F", functools.wraps(function)(make(function)))

    def __enter__(self) -> None:
        _opened.set((*_opened.get(), (id(self), self._begin(()))))

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

    def _sync(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            run = self._begin(args)
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
            run = self._begin(args)
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
