"""A library of every shape, and the table that watches it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final, Self

from opentelemetry import trace

from otel_guard.core.outcome import Facts
from otel_guard.instrumentation._engine import SYNC, Call, Instrumentation, Kind, Target

ERROR: Final = ValueError("boom")
LIBRARY: Final = "otel_guard_test_library"


class Client:
    """A library of every shape."""

    def call(self, value: object = 1) -> object:
        if isinstance(value, BaseException):
            raise value
        return value

    def outer(self) -> object:
        return self.call(2)

    def retried(self) -> int:
        return self.wait() + self.wait()

    def wait(self) -> int:
        return 1

    async def acall(self, value: object = 1) -> object:
        await asyncio.sleep(0)
        return self.call(value)

    async def hang(self) -> None:
        await asyncio.Event().wait()

    def stream(self, last: object = None) -> "Numbers":
        return Numbers(last)

    async def astream(self, last: object = None) -> "Numbers":
        return Numbers(last)


class Numbers:
    """1, 2, then *last* if it is an error; both iterables at once."""

    def __init__(self, last: object) -> None:
        self.last = last
        self.is_closed = False
        self.seen: list[trace.Span] = []
        self._count = 0

    def __iter__(self) -> Iterator[int]:
        return self

    def __aiter__(self) -> AsyncIterator[int]:
        return self

    def __next__(self) -> int:
        self.seen.append(trace.get_current_span())
        self._count += 1
        if self._count > 2:
            raise self.last if isinstance(self.last, BaseException) else StopIteration
        return self._count

    async def __anext__(self) -> int:
        try:
            return next(self)
        except StopIteration:
            raise StopAsyncIteration from None

    def close(self) -> None:
        self.is_closed = True

    async def aclose(self) -> None:
        self.is_closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def describe(_call: Call) -> Facts | None:
    return Facts("call it", {"one": 1}, {"one": 1})


def target(name: str, kind: Kind = SYNC, **more: Any) -> Target:
    return Target(module=LIBRARY, name=f"Client.{name}", kind=kind, **({"describe": describe} | more))


def table(*targets: Any, **more: Any) -> Instrumentation:
    return Instrumentation(**({"name": "lib", "requires": "lib", "context": "payment", "targets": targets} | more))
