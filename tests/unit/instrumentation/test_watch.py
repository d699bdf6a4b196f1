import asyncio
import inspect
from typing import Any

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from otel_guard.core import semconv
from otel_guard.instrumentation._engine import Block
from otel_guard.instrumentation.watch import watching
from tests.unit.instrumentation.conftest import World

ERROR = ValueError("boom")


def watch(world: World | None, name: str = "nightly", **more: Any) -> Block:
    return watching(lambda: world.engine if world else None, name, **more)


def test_a_function_is_an_internal_span(world: World) -> None:
    @watch(world, context="queue", system="cron", severity="high")
    def job(value: int) -> int:
        """Do it."""
        return value

    assert job(3) == 3
    assert (job.__name__, job.__doc__) == ("job", "Do it.")
    span = world.span()
    assert (span.name, span.kind) == ("nightly", SpanKind.INTERNAL)
    assert dict(span.attributes or {}) == {
        semconv.GUARD_CONTEXT: "queue",
        semconv.GUARD_SYSTEM: "cron",
        semconv.GUARD_SEVERITY: "high",
    }


def test_a_failure_is_the_same_exception(world: World) -> None:
    @watch(world)
    def job() -> None:
        raise ERROR

    with pytest.raises(ValueError, match="boom") as caught:
        job()

    assert caught.value is ERROR
    assert [(exc, outcome.kind) for _, exc, outcome, _ in world.handed] == [(ERROR, "failed")]
    assert world.span().status.status_code is StatusCode.ERROR


def test_an_async_function_stays_one(world: World) -> None:
    @watch(world)
    async def job(*, fails: bool) -> int:
        await asyncio.sleep(0)
        if fails:
            raise ERROR
        return 1

    assert inspect.iscoroutinefunction(job)
    assert asyncio.run(job(fails=False)) == 1
    with pytest.raises(ValueError, match="boom"):
        asyncio.run(job(fails=True))
    assert [span.status.status_code for span in world.spans()] == [StatusCode.UNSET, StatusCode.ERROR]


def test_blocks_nest_and_one_watch_may_be_entered_twice(world: World) -> None:
    twice = watch(world, "twice")

    with twice, watch(world, "inner"), twice:
        pass

    names = {span.context.span_id: span.name for span in world.spans()}
    chain = [(span.name, names.get(span.parent.span_id) if span.parent else None) for span in world.spans()]
    assert chain == [("twice", "inner"), ("inner", "twice"), ("twice", None)]


def test_a_failed_block_fails(world: World) -> None:
    with pytest.raises(ValueError, match="boom") as caught, watch(world):
        raise ERROR

    assert caught.value is ERROR
    assert world.span().status.status_code is StatusCode.ERROR


def test_tasks_have_blocks_of_their_own(world: World) -> None:
    shared = watch(world, "shared")

    async def job(turns: int) -> None:
        with shared:
            for _ in range(turns):
                await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(job(3), job(1), job(2))

    asyncio.run(main())

    assert [span.parent for span in world.spans()] == [None] * 3


def test_before_configure_it_does_nothing() -> None:
    @watch(None)
    def job() -> int:
        with watch(None):
            return 1

    assert job() == 1
