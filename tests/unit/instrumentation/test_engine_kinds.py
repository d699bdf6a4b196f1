import asyncio
import gc
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from otel_guard.core import semconv
from otel_guard.instrumentation._engine import (
    ASTREAM,
    ASYNC,
    ON_ERROR,
    STREAM,
)
from tests.unit.instrumentation.conftest import World
from tests.unit.instrumentation.library import ERROR, Numbers, table, target


def test_async_calls_stay_coroutine_functions(world: World, client: Any) -> None:
    world.engine.install(table(target("acall", ASYNC)))

    assert inspect.iscoroutinefunction(client.acall)
    assert asyncio.run(client.acall(5)) == 5
    with pytest.raises(ValueError, match="boom") as caught:
        asyncio.run(client.acall(ERROR))
    assert caught.value is ERROR
    assert [span.status.status_code for span in world.spans()] == [StatusCode.UNSET, StatusCode.ERROR]


def test_a_cancelled_task_is_cancelled(world: World, client: Any) -> None:
    world.engine.install(table(target("hang", ASYNC)))

    async def main() -> None:
        task = asyncio.create_task(client.hang())
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())

    assert (world.span().attributes or {})[semconv.GUARD_OUTCOME] == "cancelled"


def test_two_tasks_at_once_are_two_spans(world: World, client: Any) -> None:
    world.engine.install(table(target("acall", ASYNC)))

    async def main() -> None:
        await asyncio.gather(client.acall(1), client.acall(2))

    asyncio.run(main())

    assert len(world.spans()) == 2


def test_a_stream_is_a_span_to_its_end_and_current_only_while_read(world: World, client: Any) -> None:
    world.engine.install(table(target("stream", STREAM)))
    stream = client.stream()

    for _ in stream:
        assert trace.get_current_span() is trace.INVALID_SPAN
        assert world.spans() == []

    assert isinstance(stream, Numbers)
    assert all(span.get_span_context().is_valid for span in stream.seen)
    assert world.span().status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(
    ("use", "code", "outcome"),
    [
        (lambda stream: stream.close(), StatusCode.UNSET, None),
        (lambda stream: (next(stream), stream.close()), StatusCode.UNSET, None),
        (lambda stream: stream.__enter__().__exit__(None, None, None), StatusCode.UNSET, None),
        (lambda stream: stream.__enter__().__exit__(ValueError, ERROR, None), StatusCode.ERROR, None),
        (next, StatusCode.UNSET, "abandoned"),
    ],
)
def test_a_stream_left_early_ends_its_span(
    world: World, client: Any, use: Callable[[Any], Any], code: StatusCode, outcome: str | None
) -> None:
    world.engine.install(table(target("stream", STREAM)))
    stream = client.stream()

    use(stream)
    del stream
    gc.collect()

    assert world.span().status.status_code is code
    assert (world.span().attributes or {}).get(semconv.GUARD_OUTCOME) == outcome


def test_a_stream_that_breaks_is_failed_with_the_same_exception(world: World, client: Any) -> None:
    world.engine.install(table(target("stream", STREAM)))

    with pytest.raises(ValueError, match="boom") as caught:
        list(client.stream(ERROR))

    assert caught.value is ERROR
    assert [exc for _, exc, _, _ in world.handed] == [ERROR]


def test_an_async_stream_is_a_span_to_its_end(world: World, client: Any) -> None:
    world.engine.install(table(target("astream", ASTREAM)))

    async def read(last: object) -> list[int]:
        return [value async for value in await client.astream(last)]

    async def close() -> None:
        stream = await client.astream()
        await stream.aclose()

    assert asyncio.run(read(None)) == [1, 2]
    asyncio.run(close())
    with pytest.raises(ValueError, match="boom"):
        asyncio.run(read(ERROR))
    codes = [span.status.status_code for span in world.spans()]
    assert codes == [StatusCode.UNSET, StatusCode.UNSET, StatusCode.ERROR]


def test_on_error_makes_a_span_only_of_a_failure_with_its_true_start(world: World, client: Any) -> None:
    world.engine.install(table(target("call", ON_ERROR), target("acall", ON_ERROR)))

    client.call()
    asyncio.run(client.acall())
    assert world.spans() == []
    with pytest.raises(ValueError, match="boom"):
        client.call(ERROR)
    with pytest.raises(ValueError, match="boom"):
        asyncio.run(client.acall(ERROR))  # calls `call` inside: still one

    assert len(world.spans()) == 2
    assert all((span.start_time or 0) <= (span.end_time or 0) for span in world.spans())
