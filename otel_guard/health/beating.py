"""What `guard.heartbeat(…)` gives back: a decorator and a context manager, if it is used as one."""

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Final, Protocol, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])

_opened: Final[ContextVar[tuple[tuple[int, float], ...]]] = ContextVar("otel_guard_heartbeats", default=())


class Runs(Protocol):
    """Who is told of runs."""

    def began(self) -> float:
        """The moment a run begins."""
        ...

    def ended(self, said: "Heartbeat", began: float, exc: BaseException | None, /) -> None:
        """It is over; never raises."""
        ...


class Heartbeat:
    """What a call gives back: a beat, unless it decorates or is entered."""

    def __init__(self, beats: Runs, name: str, period_s: float, at: float) -> None:
        self.name = name
        self.period_s = period_s
        self.at = at
        self.is_call = True
        self._beats = beats

    def __call__(self, function: F) -> F:
        """Decorate a `def` or an `async def`."""
        self.is_call = False
        make = self._async if inspect.iscoroutinefunction(function) else self._sync
        return cast("F", functools.wraps(function)(make(function)))

    def __enter__(self) -> None:
        self.is_call = False
        _opened.set((*_opened.get(), (id(self), self._beats.began())))

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        opened = _opened.get()
        place = next((place for place in range(len(opened) - 1, -1, -1) if opened[place][0] == id(self)), None)
        if place is not None:
            _opened.set(opened[:place] + opened[place + 1 :])
            self._beats.ended(self, opened[place][1], exc)

    def _sync(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def job(*args: Any, **kwargs: Any) -> Any:
            began = self._beats.began()
            try:
                value = function(*args, **kwargs)
            except BaseException as exc:
                self._beats.ended(self, began, exc)
                raise
            self._beats.ended(self, began, None)
            return value

        return job

    def _async(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def job(*args: Any, **kwargs: Any) -> Any:
            began = self._beats.began()
            try:
                value = await function(*args, **kwargs)
            except BaseException as exc:
                self._beats.ended(self, began, exc)
                raise
            self._beats.ended(self, began, None)
            return value

        return job
