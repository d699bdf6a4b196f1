import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.starlette import StarletteInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse

from otel_guard.core.exceptions import NotConfiguredError
from otel_guard.integrations.asgi import Scope, mount, wrap
from tests.unit.health.conftest import MakeWorld
from tests.unit.health.world import World

TOKEN = "t" * 32


class Answered:
    """What an ASGI application sent."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)


def call(application: Any, path: str, **given: Any) -> Answered:
    """One request, without a server."""
    answered = Answered()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"shop")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    } | given

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        answered.messages.append(message)

    async def run() -> None:
        await application(scope, receive, send)

    asyncio.run(run())
    return answered


async def plain(scope: Scope, receive: Any, send: Any) -> None:
    """An application without a framework."""
    assert receive
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"{scope['type']} {scope.get('path')}".encode()})


def test_any_application_is_wrapped(world: World) -> None:
    world.health.start()
    application = wrap(plain, world)

    assert call(application, "/shop").body == b"http /shop"
    assert json.loads(call(application, "/readyz").body) == {"status": "ready"}
    answer = call(application, "/health", method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert dict(answer.messages[0]["headers"])[b"cache-control"] == b"no-store"


def test_lifespan_and_websockets_are_the_application_s(world: World) -> None:
    application = wrap(plain, world)

    assert call(application, "/livez", type="websocket").body == b"websocket /livez"
    assert call(application, "/livez", type="lifespan").body == b"lifespan /livez"


@pytest.mark.parametrize(("root", "path"), [("", "/livez"), ("/api", "/api/livez"), ("/api", "/livez")])
def test_a_root_path_is_not_part_of_it(world: World, root: str, path: str) -> None:
    assert call(wrap(plain, world), path, root_path=root).status == 200
    assert json.loads(call(wrap(plain, world), path, root_path=root).body) == {"status": "alive"}


def test_a_token_shows_the_details(make_world: MakeWorld) -> None:
    world = make_world(health_token=TOKEN)
    world.health.start()
    headers = [(b"authorization", f"Bearer {TOKEN}".encode())]

    assert "services" in json.loads(call(wrap(plain, world), "/health", headers=headers).body)
    assert "services" not in json.loads(call(wrap(plain, world), "/health").body)


def test_authorize_may_block_and_the_loop_goes_on(world: World) -> None:
    loops: list[bool] = []

    def authorize(_request: Any) -> Any:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            loops.append(False)
        return "viewer"

    world.health.start()

    assert "services" in json.loads(call(wrap(plain, world, authorize=authorize), "/health").body)
    assert loops == [False]


def test_before_configure_it_says_so() -> None:
    with pytest.raises(NotConfiguredError):
        wrap(plain)


class Login:
    """A middleware that refuses all."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        assert self.app
        await PlainTextResponse("login first", 401)(scope, receive, send)


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """What OTel's instrumentation saw."""
    exporter = InMemorySpanExporter()
    yield exporter
    exporter.shutdown()


@pytest.mark.parametrize("order", ["before", "after"])
@pytest.mark.parametrize(("kind", "otel"), [(FastAPI, FastAPIInstrumentor), (Starlette, StarletteInstrumentor)])
def test_frameworks_are_answered_before_their_middleware_and_untraced(
    kind: type[Starlette], otel: Any, world: World, spans: InMemorySpanExporter, order: str
) -> None:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    app = kind()
    world.health.start()
    if order == "after":
        mount(app, world)
    app.add_middleware(Login)
    otel.instrument_app(app, tracer_provider=provider)
    if order == "before":
        mount(app, world)

    assert [call(app, path).status for path in ("/livez", "/readyz", "/health")] == [200, 200, 200]
    assert spans.get_finished_spans() == ()
    assert call(app, "/other").status == 401
    assert len(spans.get_finished_spans()) > 0
    assert isinstance(app, kind)


def test_pages_are_mounted_below_their_path(world: World) -> None:
    def pages(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{environ['SCRIPT_NAME']}|{environ['PATH_INFO']}".encode()]

    world.dashboard = lambda _authorize: pages  # type: ignore[attr-defined]
    application = wrap(plain, world, dashboard="/ops")

    assert [call(application, path).body for path in ("/ops/", "/ops/errors/7", "/opsx")] == [
        b"/ops|/",
        b"/ops|/errors/7",
        b"http /opsx",
    ]
