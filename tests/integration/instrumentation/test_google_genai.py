import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors
from opentelemetry.trace import StatusCode

from otel_guard.core import semconv
from otel_guard.demo.standins import google_genai as standin
from otel_guard.instrumentation.google_genai import GOOGLE_GENAI
from otel_guard.instrumentation.httpx import HTTPX, HTTPX2
from tests.integration.instrumentation.capturing import Capturing
from tests.unit.instrumentation.conftest import MakeWorld

QUESTION = "my very private question"
MODEL = "gemini-2.5-flash"


@pytest.fixture
def api() -> Iterator[standin.Gemini]:
    api = standin.start()
    yield api
    api.stop()


@pytest.fixture
def capturing(make_world: MakeWorld) -> Capturing:
    return Capturing(make_world, HTTPX, HTTPX2, GOOGLE_GENAI)


def client_of(url: str, key: str = "x") -> genai.Client:
    return genai.Client(api_key=key, http_options={"base_url": url})


def asked(words: str = "", model: str = MODEL) -> dict[str, Any]:
    return {"model": model, "contents": f"{QUESTION} {words}"}


def ask(api: standin.Gemini, words: str = "", model: str = MODEL, key: str = "x") -> None:
    with client_of(api.url, key) as client:
        client.models.generate_content(**asked(words, model))


def test_a_call_is_one_span_with_metrics_and_no_content(capturing: Capturing, api: standin.Gemini) -> None:
    ask(api)

    span = capturing.spans()[-1]
    found = dict(span.attributes or {})
    assert (span.name, span.status.status_code) == (f"generate_content {MODEL}", StatusCode.UNSET)
    assert found[semconv.GEN_AI_USAGE_INPUT_TOKENS] == 42
    assert [point.count for point in capturing.points("gen_ai.client.operation.duration")] == [1]
    assert capturing.records() == []
    assert QUESTION not in capturing.everything()
    assert standin.REPLY not in capturing.everything()


@pytest.mark.parametrize(
    ("words", "error_type", "error_class", "severity"),
    [
        (standin.RATE_LIMITED, "429", "rate_limit", "medium"),
        (standin.NO_QUOTA, "429", "quota", "high"),
        (standin.OVERLOADED, "503", "server", "medium"),
        (standin.TOO_LONG, "400", "content", "low"),
    ],
)
def test_a_refusal_is_one_record_of_its_class(
    capturing: Capturing, api: standin.Gemini, words: str, error_type: str, error_class: str, severity: str
) -> None:
    with pytest.raises(errors.APIError):
        ask(api, words)

    assert capturing.graded() == ("ai", "gcp.gemini", error_class, severity)
    assert capturing.record().operation == f"generate_content {MODEL}"
    assert capturing.attributes()[semconv.ERROR_TYPE] == error_type
    assert capturing.attributes()[semconv.HTTP_RESPONSE_STATUS_CODE] == int(error_type)
    (duration,) = capturing.points("gen_ai.client.operation.duration")
    assert duration.attributes[semconv.ERROR_TYPE] == error_type
    assert QUESTION not in capturing.everything()


def test_when_to_try_again_is_kept(capturing: Capturing, api: standin.Gemini) -> None:
    with pytest.raises(errors.ClientError):
        ask(api, standin.RATE_LIMITED)

    assert capturing.attributes()[semconv.HTTP_RESPONSE_HEADER_RETRY_AFTER] == "1"


def test_an_unknown_model_is_a_fault_of_the_configuration(capturing: Capturing, api: standin.Gemini) -> None:
    with pytest.raises(errors.ClientError):
        ask(api, model=standin.UNKNOWN_MODEL)

    assert capturing.graded() == ("ai", "gcp.gemini", "config", "high")


def test_a_refused_key_is_auth_though_its_status_is_400(capturing: Capturing, api: standin.Gemini) -> None:
    with pytest.raises(errors.ClientError):
        ask(api, key=standin.REFUSED_KEY)

    assert capturing.graded() == ("ai", "gcp.gemini", "auth", "critical")


def test_a_refused_connection_is_one_record(capturing: Capturing) -> None:
    with client_of("http://127.0.0.1:1") as client, pytest.raises(Exception, match="refused"):
        client.models.generate_content(**asked())

    assert capturing.graded() == ("ai", "gcp.gemini", "connection", "medium")


def test_a_stream_ends_its_span_when_it_was_read(capturing: Capturing, api: standin.Gemini) -> None:
    with client_of(api.url) as client:
        texts = [chunk.text for chunk in client.models.generate_content_stream(**asked())]

    assert texts == [standin.REPLY] * 2
    assert [span.name for span in capturing.spans() if "generate" in span.name] == [f"generate_content {MODEL}"]
    assert capturing.records() == []
    assert standin.REPLY not in capturing.everything()


def test_a_stream_that_breaks_is_one_record(capturing: Capturing, api: standin.Gemini) -> None:
    with client_of(api.url) as client:
        stream = client.models.generate_content_stream(**asked(standin.BREAKS))
        with pytest.raises(errors.APIError):
            list(stream)

    assert capturing.graded() == ("ai", "gcp.gemini", "server", "medium")


def test_async_calls_and_streams_too(capturing: Capturing, api: standin.Gemini) -> None:
    async def run() -> None:
        async with client_of(api.url).aio as client:
            await client.models.generate_content(**asked())
            async for _ in await client.models.generate_content_stream(**asked()):
                pass
            with pytest.raises(errors.ClientError):
                await client.models.generate_content(**asked(standin.RATE_LIMITED))

    asyncio.run(run())

    assert sum(point.count for point in capturing.points("gen_ai.client.operation.duration")) == 3
    assert capturing.graded() == ("ai", "gcp.gemini", "rate_limit", "medium")


def test_embeddings_too_and_uninstrument_restores(capturing: Capturing, api: standin.Gemini) -> None:
    with client_of(api.url) as client:
        client.models.embed_content(model="gemini-embedding-001", contents=QUESTION)
        names = [span.name for span in capturing.spans()]
        capturing.world.engine.uninstrument()
        client.models.embed_content(model="gemini-embedding-001", contents=QUESTION)

    assert names[-1] == "embeddings gemini-embedding-001"
    assert len(capturing.spans()) == len(names)
