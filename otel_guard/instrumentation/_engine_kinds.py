"""The wrapper of each kind of target: the call itself is made once, outside everything that could swallow."""

import inspect
from collections.abc import Callable
from typing import Any

from otel_guard.instrumentation._engine_run import (
    Book,
    Running,
    begin,
    is_watched,
    mark_running,
    running,
    unmark_running,
)
from otel_guard.instrumentation._engine_stream import AsyncStream, Stream
from otel_guard.instrumentation._engine_table import Call, Count, Kind, Target

Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]


def wrapper(book: Book, target: Target | Count, original: Any) -> Wrapper:
    """The wrapper of *original*, by its kind."""
    if isinstance(target, Count):
        return _count(book, target)
    names = parameters(original)
    match target.kind:
        case Kind.ASYNC | Kind.ASTREAM:
            return _asynchronous(book, target, names)
        case Kind.ON_ERROR:
            make = _on_error_async if inspect.iscoroutinefunction(inspect.unwrap(original)) else _on_error
            return make(book, target, names)
        case _:
            return _synchronous(book, target, names)


def parameters(original: Any) -> tuple[str, ...]:
    """Names of the parameters a caller gives; empty where they cannot be told."""
    function = original.__func__ if isinstance(original, staticmethod | classmethod) else original
    try:
        names = tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ()
    is_bound = isinstance(original, classmethod) or (names[:1] == ("self",) and not isinstance(original, staticmethod))
    return names[1:] if is_bound else names


def _synchronous(book: Book, target: Target, names: tuple[str, ...]) -> Wrapper:
    def watched(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not is_watched(book) or (run := begin(book, target, Call(instance, args, kwargs, names))) is None:
            return wrapped(*args, **kwargs)
        try:
            value = wrapped(*args, **kwargs)
        except BaseException as exc:
            run.failed(exc)
            raise
        if target.kind is Kind.STREAM:
            book.step("leave", run.leave)
            return Stream(value, run, book)
        run.returned(value)
        return value

    return watched


def _asynchronous(book: Book, target: Target, names: tuple[str, ...]) -> Wrapper:
    async def watched(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not is_watched(book) or (run := begin(book, target, Call(instance, args, kwargs, names))) is None:
            return await wrapped(*args, **kwargs)
        try:
            value = await wrapped(*args, **kwargs)
        except BaseException as exc:
            run.failed(exc)
            raise
        if target.kind is Kind.ASTREAM:
            book.step("leave", run.leave)
            return AsyncStream(value, run, book)
        run.returned(value)
        return value

    return watched


def _on_error(book: Book, target: Target, names: tuple[str, ...]) -> Wrapper:
    def watched(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not is_watched(book):
            return wrapped(*args, **kwargs)
        late = _Late(book, target, Call(instance, args, kwargs, names))
        try:
            return wrapped(*args, **kwargs)
        except Exception as exc:
            late.failed(exc)
            raise
        finally:
            late.close()

    return watched


def _on_error_async(book: Book, target: Target, names: tuple[str, ...]) -> Wrapper:
    async def watched(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not is_watched(book):
            return await wrapped(*args, **kwargs)
        late = _Late(book, target, Call(instance, args, kwargs, names))
        try:
            return await wrapped(*args, **kwargs)
        except Exception as exc:
            late.failed(exc)
            raise
        finally:
            late.close()

    return watched


class _Late:
    """A call that gets a span only if it fails, with its true start."""

    __slots__ = ("_book", "_call", "_running", "_started_ns", "_target", "_token")

    def __init__(self, book: Book, target: Target, call: Call) -> None:
        self._book = book
        self._target = target
        self._call = call
        self._started_ns = book.services.clock.now_ms() * 1_000_000
        self._running = Running(book, call)
        self._token = mark_running(self._running)

    def failed(self, exc: Exception) -> None:
        run = begin(self._book, self._target, self._call, started_ns=self._started_ns)
        if run is not None:
            run.failed(exc)

    def close(self) -> None:
        self._running.is_open = False
        self._book.step("leave", unmark_running, self._token)


def _count(book: Book, count: Count) -> Wrapper:
    def watched(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        value = wrapped(*args, **kwargs)
        if book.is_on and (outer := running(book.table.name)) is not None:
            book.step("count", count.add, outer.call, value)
        return value

    return watched
