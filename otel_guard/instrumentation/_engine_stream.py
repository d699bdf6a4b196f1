"""Streams: the same object to the application; its span ends when it is read, failed, closed or forgotten."""

from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Any

import wrapt

from otel_guard.instrumentation._engine_run import Book, Run

# wrapt's proxies take attributes of their own only with the prefix `_self_`.


class Stream(wrapt.ObjectProxy):  # type: ignore[type-arg] # generic for type checkers only
    """A value that is iterated, watched to its end."""

    def __init__(self, wrapped: Any, run: Run, book: Book, parent: Any = None) -> None:
        super().__init__(wrapped)
        self._self_parent = parent  # its collection would end the span while this one is read
        self._self_run = run
        self._self_book = book

    def __iter__(self) -> Iterator[Any]:
        inner = iter(self.__wrapped__)
        return self if inner is self.__wrapped__ else Stream(inner, self._self_run, self._self_book, self)

    def __next__(self) -> Any:
        run, step = self._self_run, self._self_book.step
        if run.running.is_open:
            step("enter", run.enter)
        try:
            value = next(self.__wrapped__)
        except StopIteration:
            run.returned(self.__wrapped__)
            raise
        except BaseException as exc:
            run.failed(exc)
            raise
        step("leave", run.leave)
        return value

    def close(self) -> Any:
        """Close the value; its span ends."""
        try:
            return self.__wrapped__.close()
        finally:
            self._self_run.returned(self.__wrapped__)

    def __enter__(self) -> Any:
        entered = self.__wrapped__.__enter__()
        return self if entered is self.__wrapped__ else entered

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> Any:
        try:
            return self.__wrapped__.__exit__(kind, exc, tb)
        finally:
            _ended(self._self_run, exc, self.__wrapped__)

    def __del__(self) -> None:
        run = getattr(self, "_self_run", None)
        if run is not None:
            run.abandoned()


class AsyncStream(wrapt.ObjectProxy):  # type: ignore[type-arg] # generic for type checkers only
    """A value that is iterated with `async for`, watched to its end."""

    def __init__(self, wrapped: Any, run: Run, book: Book, parent: Any = None) -> None:
        super().__init__(wrapped)
        self._self_parent = parent  # its collection would end the span while this one is read
        self._self_run = run
        self._self_book = book

    def __aiter__(self) -> AsyncIterator[Any]:
        inner = aiter(self.__wrapped__)
        return self if inner is self.__wrapped__ else AsyncStream(inner, self._self_run, self._self_book, self)

    async def __anext__(self) -> Any:
        run, step = self._self_run, self._self_book.step
        if run.running.is_open:
            step("enter", run.enter)
        try:
            value = await anext(self.__wrapped__)
        except StopAsyncIteration:
            run.returned(self.__wrapped__)
            raise
        except BaseException as exc:
            run.failed(exc)
            raise
        step("leave", run.leave)
        return value

    async def close(self) -> Any:
        """Close the value; its span ends."""
        try:
            return await self.__wrapped__.close()
        finally:
            self._self_run.returned(self.__wrapped__)

    async def aclose(self) -> Any:
        """Close the value; its span ends."""
        try:
            return await self.__wrapped__.aclose()
        finally:
            self._self_run.returned(self.__wrapped__)

    async def __aenter__(self) -> Any:
        entered = await self.__wrapped__.__aenter__()
        return self if entered is self.__wrapped__ else entered

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> Any:
        try:
            return await self.__wrapped__.__aexit__(kind, exc, tb)
        finally:
            _ended(self._self_run, exc, self.__wrapped__)

    def __del__(self) -> None:
        run = getattr(self, "_self_run", None)
        if run is not None:
            run.abandoned()


def _ended(run: Run, exc: BaseException | None, value: Any) -> None:
    if exc is not None:
        run.failed(exc)
    else:
        run.returned(value)
