from collections.abc import Callable, Iterator

import httpx2
import pytest
import requests
from opentelemetry.trace import SpanKind

from otel_guard.demo.standins._http import as_json, serve
from otel_guard.instrumentation._engine import Instrumentation
from otel_guard.instrumentation.httpx import HTTPX2
from otel_guard.instrumentation.requests import REQUESTS
from otel_guard.runtime.suppression import sending
from tests.unit.instrumentation.conftest import World

CLIENTS: list[tuple[Instrumentation, Callable[[str], object]]] = [
    (REQUESTS, lambda url: requests.get(url, timeout=5)),
    (HTTPX2, httpx2.get),
]


@pytest.fixture
def url() -> Iterator[str]:
    running = serve(lambda _request: as_json(200, {}))
    yield running.url
    running.stop()


@pytest.mark.parametrize(("table", "get"), CLIENTS)
def test_a_request_is_one_client_span(
    world: World, url: str, table: Instrumentation, get: Callable[[str], object]
) -> None:
    world.engine.install(table)
    world.engine.install(table)

    get(url)

    assert world.span().kind is SpanKind.CLIENT
    world.engine.uninstrument()
    get(url)
    assert len(world.spans()) == 1


@pytest.mark.parametrize(("table", "get"), CLIENTS)
def test_what_the_guard_sends_is_no_span(
    world: World, url: str, table: Instrumentation, get: Callable[[str], object]
) -> None:
    world.engine.install(table)

    with sending():
        get(url)

    assert world.spans() == []
