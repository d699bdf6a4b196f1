import asyncio
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from opentelemetry.trace import StatusCode

from otel_guard.demo.standins._http import Request, Response, Running, as_json, serve
from otel_guard.instrumentation.httpx import HTTPX2
from otel_guard.instrumentation.openai import OPENAI
from tests.unit.instrumentation.conftest import World

SECRET = "my very private question"
ASK: Any = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": SECRET}]}
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": SECRET}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
LIMITED = {"error": {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}}


class Api:
    """Answers with each of *statuses* in turn, the last again and again."""

    def __init__(self) -> None:
        self.statuses = [200]
        self._running: Running = serve(self._answer)
        self.url = self._running.url
        self.stop = self._running.stop

    def _answer(self, _request: Request) -> Response:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return as_json(status, COMPLETION if status == 200 else LIMITED, {"retry-after-ms": "1", "x-request-id": "r"})


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    yield api
    api.stop()


def client_of(api: Api) -> openai.OpenAI:
    return openai.OpenAI(api_key="x", base_url=api.url, max_retries=2)


def test_a_chat_is_one_span_without_content(world: World, api: Api) -> None:
    world.engine.install(OPENAI)

    with client_of(api) as client:
        client.chat.completions.create(**ASK)

    span = world.span()
    assert (span.name, span.status.status_code) == ("chat gpt-4o-mini", StatusCode.UNSET)
    assert SECRET not in span.to_json()


def test_a_rate_limit_cured_by_retry_is_no_failure(world: World, api: Api) -> None:
    world.engine.install(OPENAI)
    api.statuses = [429, 200]

    with client_of(api) as client:
        client.chat.completions.create(**ASK)

    assert world.span().status.status_code is not StatusCode.ERROR


def test_a_rate_limit_that_stays_is_the_same_exception(world: World, api: Api) -> None:
    world.engine.install(OPENAI)
    api.statuses = [429]

    with client_of(api) as client, pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(**ASK)

    assert caught.value.status_code == 429
    assert world.span().status.status_code is StatusCode.ERROR


def test_its_requests_are_children_by_httpx2(world: World, api: Api) -> None:
    world.engine.install(HTTPX2)
    world.engine.install(OPENAI)
    api.statuses = [429, 200]

    with client_of(api) as client:
        client.chat.completions.create(**ASK)

    *children, parent = world.spans()
    assert [child.parent.span_id if child.parent else None for child in children] == [parent.context.span_id] * 2


def test_async_calls_too_and_uninstrument_restores(world: World, api: Api) -> None:
    async def ask() -> None:
        async with openai.AsyncOpenAI(api_key="x", base_url=api.url) as client:
            await client.chat.completions.create(**ASK)

    world.engine.install(OPENAI)
    asyncio.run(ask())
    world.engine.uninstrument("openai")
    asyncio.run(ask())

    assert len(world.spans()) == 1
