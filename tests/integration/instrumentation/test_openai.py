import asyncio
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from opentelemetry.trace import StatusCode

from otel_guard.core import semconv
from otel_guard.demo.standins._http import Request, Response, Running, as_json, serve
from otel_guard.instrumentation.httpx import HTTPX2
from otel_guard.instrumentation.openai import OPENAI
from tests.integration.instrumentation.capturing import Capturing
from tests.unit.instrumentation.conftest import MakeWorld, World

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
LIMITED = {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}
BROKEN = {"message": "The server had an error", "type": "server_error", "code": None}
CHUNK = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "gpt-4o-mini",
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": SECRET}, "finish_reason": None}],
}
LAST = {**CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


class Api:
    """Answers with each of *statuses* in turn, the last again and again; a stream may break after its first chunk."""

    def __init__(self) -> None:
        self.statuses = [200]
        self.error: dict[str, Any] = LIMITED
        self.is_breaking = False
        self._running: Running = serve(self._answer)
        self.url = self._running.url
        self.stop = self._running.stop

    def _answer(self, request: Request) -> Response:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status == 200 and json.loads(request.body).get("stream"):
            last = json.dumps({"error": BROKEN} if self.is_breaking else LAST)
            events = f"data: {json.dumps(CHUNK)}\n\ndata: {last}\n\ndata: [DONE]\n\n"
            return Response(200, events.encode(), {"Content-Type": "text/event-stream"})
        answer = COMPLETION if status == 200 else {"error": self.error}
        return as_json(status, answer, {"retry-after-ms": "1", "x-request-id": "r-1"})


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


@pytest.fixture
def capturing(make_world: MakeWorld) -> Capturing:
    return Capturing(make_world, HTTPX2, OPENAI)


def problem(code: str | None, kind: str, message: str = "No") -> dict[str, Any]:
    return {"message": message, "type": kind, "code": code}


@pytest.mark.parametrize(
    ("status", "error", "error_type", "error_class", "severity"),
    [
        (429, LIMITED, "openai.RateLimitError", "rate_limit", "medium"),
        (429, problem("insufficient_quota", "insufficient_quota"), "openai.RateLimitError", "quota", "high"),
        (401, problem("invalid_api_key", "invalid_request_error"), "openai.AuthenticationError", "auth", "critical"),
        (404, problem("model_not_found", "invalid_request_error"), "openai.NotFoundError", "config", "high"),
        (400, problem("context_length_exceeded", "invalid_request_error"), "openai.BadRequestError", "content", "low"),
        (400, problem("content_filter", "invalid_request_error"), "openai.BadRequestError", "content", "low"),
        (400, problem(None, "invalid_request_error"), "openai.BadRequestError", "client", "medium"),
        (500, BROKEN, "openai.InternalServerError", "server", "medium"),
    ],
)
def test_a_refusal_is_one_record_of_its_class(
    capturing: Capturing,
    api: Api,
    status: int,
    error: dict[str, Any],
    error_type: str,
    error_class: str,
    severity: str,
) -> None:
    api.statuses, api.error = [status], error

    with client_of(api) as client, pytest.raises(openai.APIStatusError):
        client.chat.completions.create(**ASK)

    assert capturing.graded() == ("ai", "openai", error_class, severity)
    kept = capturing.attributes()
    assert kept[semconv.ERROR_TYPE] == error_type
    assert kept.get(semconv.ERROR_CODE) == (error["code"] or error["type"])
    assert kept[semconv.HTTP_RESPONSE_STATUS_CODE] == status
    assert kept[semconv.HTTP_RESPONSE_HEADER_REQUEST_ID] == "r-1"
    assert kept[semconv.HTTP_RESPONSE_HEADER_RETRY_AFTER] == "0.001"
    assert SECRET not in capturing.everything()


def test_a_rate_limit_cured_by_retry_is_no_record(capturing: Capturing, api: Api) -> None:
    api.statuses = [429, 200]

    with client_of(api) as client:
        client.chat.completions.create(**ASK)

    assert capturing.records() == []


def test_a_refused_connection_is_one_record(capturing: Capturing, api: Api) -> None:
    client = openai.OpenAI(api_key="x", base_url="http://127.0.0.1:1", max_retries=1)
    with client, pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(**ASK)

    assert capturing.graded() == ("ai", "openai", "connection", "medium")
    assert api.statuses == [200]


def test_a_stream_ends_its_span_when_it_was_read(capturing: Capturing, api: Api) -> None:
    with client_of(api) as client:
        stream = client.chat.completions.create(stream=True, **ASK)
        assert [span.name for span in capturing.spans() if span.name.startswith("chat")] == []
        list(stream)

    assert [span.name for span in capturing.spans() if span.name.startswith("chat")] == ["chat gpt-4o-mini"]
    assert capturing.records() == []
    assert SECRET not in capturing.everything()


def test_a_stream_that_is_closed_early_ends_its_span(capturing: Capturing, api: Api) -> None:
    with client_of(api) as client:
        stream = client.chat.completions.create(stream=True, **ASK)
        next(iter(stream))
        stream.close()

    assert [span.name for span in capturing.spans() if span.name.startswith("chat")] == ["chat gpt-4o-mini"]
    assert capturing.records() == []


def test_a_stream_that_breaks_is_one_record(capturing: Capturing, api: Api) -> None:
    api.is_breaking = True

    with client_of(api) as client:
        stream = client.chat.completions.create(stream=True, **ASK)
        with pytest.raises(openai.APIError):
            list(stream)

    assert capturing.graded() == ("ai", "openai", "server", "medium")
    assert SECRET not in capturing.everything()


def test_async_streams_and_failures_too(capturing: Capturing, api: Api) -> None:
    async def run() -> None:
        async with openai.AsyncOpenAI(api_key="x", base_url=api.url, max_retries=0) as client:
            async for _ in await client.chat.completions.create(stream=True, **ASK):
                pass
            api.statuses = [429]
            with pytest.raises(openai.RateLimitError):
                await client.chat.completions.create(**ASK)

    asyncio.run(run())

    assert len([span for span in capturing.spans() if span.name.startswith("chat")]) == 2
    assert capturing.graded() == ("ai", "openai", "rate_limit", "medium")


def test_a_cancelled_call_is_no_failure(capturing: Capturing) -> None:
    async def run() -> None:
        begun, ended = asyncio.Event(), asyncio.Event()

        async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            begun.set()
            await reader.read()
            writer.close()
            ended.set()

        server = await asyncio.start_server(hang, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with openai.AsyncOpenAI(api_key="x", base_url=url, max_retries=0) as client:
            task = asyncio.create_task(client.chat.completions.create(**ASK))
            await asyncio.wait_for(begun.wait(), 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await asyncio.wait_for(ended.wait(), 10)
        server.close()

    asyncio.run(run())

    assert capturing.spans()[-1].name == "chat gpt-4o-mini"
    assert capturing.records() == []
