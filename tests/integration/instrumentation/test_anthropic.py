import asyncio
import logging
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import anthropic
import pytest
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]
from opentelemetry.trace import StatusCode

from otel_guard.core import semconv
from otel_guard.demo.standins import anthropic as standin
from otel_guard.instrumentation.anthropic import ANTHROPIC, DOUBLE
from otel_guard.instrumentation.httpx import HTTPX2
from tests.integration.instrumentation.capturing import Capturing
from tests.unit.instrumentation.conftest import MakeWorld, World

QUESTION = "my very private question"
MODEL = "claude-opus-4-1"


@pytest.fixture
def api() -> Iterator[standin.Anthropic]:
    api = standin.start()
    yield api
    api.stop()


@pytest.fixture
def capturing(make_world: MakeWorld) -> Capturing:
    return Capturing(make_world, HTTPX2, ANTHROPIC)


def options(capturing: Capturing, api: standin.Anthropic, **more: Any) -> dict[str, Any]:
    traced = {"tracer_provider": capturing.world.provider}
    return {"api_key": "x", "base_url": api.url, "max_retries": 0, "open_telemetry": traced} | more


def asked(words: str = "", **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": f"{QUESTION} {words}"}]
    return {"model": MODEL, "max_tokens": 100, "messages": messages} | more


def ask(capturing: Capturing, api: standin.Anthropic, words: str = "", **more: Any) -> None:
    with anthropic.Anthropic(**options(capturing, api)) as client:
        client.messages.create(**asked(words, **more))


def test_a_message_is_one_call_with_its_metrics_and_no_content(capturing: Capturing, api: standin.Anthropic) -> None:
    ask(capturing, api)

    http, span = capturing.spans()
    found = dict(span.attributes or {})
    assert (span.name, span.status.status_code) == ("anthropic.messages.create", StatusCode.OK)
    assert found[semconv.GEN_AI_REQUEST_MODEL] == MODEL
    assert http.parent is not None
    assert http.parent.span_id == span.context.span_id
    (duration,) = capturing.points("gen_ai.client.operation.duration")
    assert (duration.count, dict(duration.attributes)) == (
        1,
        {
            semconv.GEN_AI_OPERATION_NAME: "chat",
            semconv.GEN_AI_PROVIDER_NAME: "anthropic",
            semconv.GEN_AI_REQUEST_MODEL: MODEL,
            semconv.GEN_AI_RESPONSE_MODEL: MODEL,
            semconv.SERVER_ADDRESS: "127.0.0.1",
            semconv.SERVER_PORT: api.port,
        },
    )
    tokens = {point.attributes[semconv.GEN_AI_TOKEN_TYPE]: point.sum for point in capturing.points(TOKENS)}
    assert tokens == {"input": 42, "output": 17}
    assert capturing.records() == []
    assert QUESTION not in capturing.everything()
    assert standin.REPLY not in capturing.everything()


TOKENS = "gen_ai.client.token.usage"
REFUSED = [
    (standin.RATE_LIMITED, anthropic.RateLimitError, "rate_limit_error", "rate_limit", "medium"),
    (standin.NO_CREDIT, anthropic.BadRequestError, "invalid_request_error", "quota", "high"),
    (standin.OVERLOADED, anthropic.InternalServerError, "overloaded_error", "server", "medium"),
    (standin.TOO_LONG, anthropic.BadRequestError, "invalid_request_error", "content", "low"),
]


@pytest.mark.parametrize(("words", "error", "error_type", "error_class", "severity"), REFUSED)
def test_a_refusal_is_one_record_of_its_class(
    capturing: Capturing,
    api: standin.Anthropic,
    words: str,
    error: type[Exception],
    error_type: str,
    error_class: str,
    severity: str,
) -> None:
    with pytest.raises(error) as caught:
        ask(capturing, api, words)

    assert capturing.graded() == ("ai", "anthropic", error_class, severity)
    assert capturing.record().operation == f"chat {MODEL}"
    assert capturing.record().stack_trace is not None
    assert capturing.record().route is None
    kept = capturing.attributes()
    assert kept[semconv.ERROR_TYPE] == error_type
    assert kept["anthropic.request.id"] == getattr(caught.value, "request_id", None)
    assert kept.get(semconv.HTTP_RESPONSE_HEADER_RETRY_AFTER) == ("1" if error_class == "rate_limit" else None)
    (duration,) = capturing.points("gen_ai.client.operation.duration")
    assert duration.attributes[semconv.ERROR_TYPE] == error_type
    assert QUESTION not in capturing.everything()


def test_an_unknown_model_is_a_fault_of_the_configuration(capturing: Capturing, api: standin.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError):
        ask(capturing, api, model=standin.UNKNOWN_MODEL)

    assert capturing.graded() == ("ai", "anthropic", "config", "high")


def test_a_refused_key_is_auth(capturing: Capturing, api: standin.Anthropic) -> None:
    client = anthropic.Anthropic(**options(capturing, api, api_key=standin.REFUSED_KEY))
    with client, pytest.raises(anthropic.AuthenticationError):
        client.messages.create(**asked())

    assert capturing.graded() == ("ai", "anthropic", "auth", "critical")


def test_a_refused_connection_is_one_record(capturing: Capturing, api: standin.Anthropic) -> None:
    client = anthropic.Anthropic(**options(capturing, api, base_url="http://127.0.0.1:1"))
    with client, pytest.raises(anthropic.APIConnectionError):
        client.messages.create(**asked())

    assert capturing.graded() == ("ai", "anthropic", "connection", "medium")


def test_a_refusal_cured_by_retry_is_no_failure_and_both_attempts_are_one_call(
    capturing: Capturing, api: standin.Anthropic
) -> None:
    with (
        anthropic.Anthropic(**options(capturing, api, max_retries=1)) as client,
        pytest.raises(anthropic.InternalServerError),
    ):
        client.messages.create(**asked(standin.OVERLOADED))

    assert capturing.record().error_class == "server"
    assert capturing.attributes()[semconv.HTTP_REQUEST_RESEND_COUNT] == 1


def test_a_stream_ends_its_span_when_it_was_read(capturing: Capturing, api: standin.Anthropic) -> None:
    with anthropic.Anthropic(**options(capturing, api)) as client:
        with client.messages.stream(**asked()) as stream:
            assert "".join(stream.text_stream) == standin.REPLY
        for _ in client.messages.create(stream=True, **asked()):
            pass

    spans = [span for span in capturing.spans() if span.name == "anthropic.messages.create"]
    assert [span.status.status_code for span in spans] == [StatusCode.OK] * 2
    (point,) = [one for one in capturing.points(TOKENS) if one.attributes[semconv.GEN_AI_TOKEN_TYPE] == "output"]
    assert (point.count, point.sum) == (2, 34)
    assert standin.REPLY not in capturing.everything()


def test_a_stream_that_breaks_is_one_record(capturing: Capturing, api: standin.Anthropic) -> None:
    with anthropic.Anthropic(**options(capturing, api)) as client:
        stream = client.messages.create(stream=True, **asked(standin.BREAKS))
        with pytest.raises(anthropic.APIStatusError):
            list(stream)

    assert capturing.graded() == ("ai", "anthropic", "server", "medium")


def test_async_calls_and_streams_too(capturing: Capturing, api: standin.Anthropic) -> None:
    async def run() -> None:
        async with anthropic.AsyncAnthropic(**options(capturing, api)) as client:
            await client.messages.create(**asked())
            async for _ in await client.messages.create(stream=True, **asked()):
                pass
            with pytest.raises(anthropic.RateLimitError):
                await client.messages.create(**asked(standin.RATE_LIMITED))

    asyncio.run(run())

    assert sum(point.count for point in capturing.points("gen_ai.client.operation.duration")) == 3
    assert capturing.graded() == ("ai", "anthropic", "rate_limit", "medium")


def test_a_model_call_of_an_agent_is_its_own_call(capturing: Capturing, api: standin.Anthropic) -> None:
    with anthropic.Anthropic(**options(capturing, api)) as client:
        runner = client.beta.messages.tool_runner(tools=[], **asked(standin.RATE_LIMITED))
        with pytest.raises(anthropic.RateLimitError):
            runner.until_done()

    names = [span.name for span in capturing.spans()]
    assert names[-2:] == ["anthropic.messages.create", "anthropic.messages.tool_runner"]
    assert capturing.graded() == ("ai", "anthropic", "rate_limit", "medium")
    assert capturing.record().operation == f"chat {MODEL}"
    assert sum(point.count for point in capturing.points("gen_ai.client.operation.duration")) == 1


def test_a_count_of_tokens_is_a_call_of_ai_too(capturing: Capturing, api: standin.Anthropic) -> None:
    client = anthropic.Anthropic(**options(capturing, api, api_key=standin.REFUSED_KEY))
    with client, pytest.raises(anthropic.AuthenticationError):
        client.messages.count_tokens(model=MODEL, messages=[{"role": "user", "content": QUESTION}])

    assert capturing.graded() == ("ai", "anthropic", "auth", "critical")


class AnthropicInstrumentor(BaseInstrumentor):  # type: ignore[misc] # untyped
    started = 0

    def instrumentation_dependencies(self) -> list[str]:
        return []

    def _instrument(self, **_: Any) -> None:
        AnthropicInstrumentor.started += 1

    def _uninstrument(self, **_: Any) -> None:
        AnthropicInstrumentor.started -= 1


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[AnthropicInstrumentor]]:
    """The official instrumentor, as far as we touch it."""
    module = ModuleType(DOUBLE)
    module.AnthropicInstrumentor = AnthropicInstrumentor  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, DOUBLE, module)
    yield AnthropicInstrumentor
    if AnthropicInstrumentor.started:
        AnthropicInstrumentor().uninstrument()


def test_the_official_instrumentor_is_stopped_once_and_said_so(
    world: World, double: type[AnthropicInstrumentor], caplog: pytest.LogCaptureFixture
) -> None:
    double().instrument(skip_dep_check=True)
    assert double.started == 1

    with caplog.at_level(logging.WARNING, logger="otel_guard"):
        world.engine.install(ANTHROPIC)
        double().instrument(skip_dep_check=True)

    assert double.started == 0
    assert len([line for line in caplog.messages if "opentelemetry-instrumentation-genai-anthropic" in line]) == 1
    world.engine.uninstrument()
    double().instrument(skip_dep_check=True)
    assert double.started == 1


def test_an_anthropic_without_spans_of_its_own_is_unsupported(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anthropic._tracing", None)

    world.engine.install(ANTHROPIC)

    assert [(one.name, one.status) for one in world.engine.status()] == [("anthropic", "unsupported")]
