import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.starlette import StarletteInstrumentor
from opentelemetry.trace import SpanKind, StatusCode
from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationBackend, BaseUser, SimpleUser
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from otel_guard.core import semconv
from otel_guard.instrumentation.starlette import STARLETTE
from tests.unit.instrumentation.conftest import World

BUG = ValueError("bug")
# In a process of its own: here everything is loaded already.
CONTRIB_FIRST = """
import importlib, sys
from opentelemetry import trace, metrics
from otel_guard.instrumentation._engine import Engine
from otel_guard.instrumentation._libraries import install
from otel_guard.runtime.failsafe import Failsafe

engine = Engine(trace.get_tracer("x"), metrics.get_meter("x"), Failsafe(strict=True), handover=print)
install(engine, off=frozenset(), on=frozenset())
importlib.import_module("opentelemetry.instrumentation." + sys.argv[1])
import celery.worker.request, django.core.handlers.base, fastapi
print([status.status for status in engine.status() if status.name == sys.argv[1]])
"""


class Row(BaseUser):
    """A row of a database: asking for its identity would be a query."""

    def __init__(self, **state: object) -> None:
        vars(self).update(state)

    @property
    def identity(self) -> str:
        raise AssertionError


class Backend(AuthenticationBackend):
    def __init__(self, user: BaseUser) -> None:
        self._user = user

    async def authenticate(self, _conn: Any) -> tuple[AuthCredentials, BaseUser]:
        return AuthCredentials(["authenticated"]), self._user


async def order(request: Request) -> Response:
    if request.path_params["number"] == "0":
        raise BUG
    return PlainTextResponse(str(trace.get_current_span().get_span_context().is_valid))


async def down(_request: Request) -> Response:
    return PlainTextResponse("down", status_code=503)


async def chat(socket: WebSocket) -> None:
    await socket.accept()
    await socket.receive_text()
    if socket.path_params["room"] == "broken":
        raise BUG
    await socket.receive_text()


def app_of(*middleware: Middleware, **options: Any) -> Starlette:
    routes = [
        Route("/orders/{number}", order),
        Route("/down", down),
        Mount("/shop/{name}", routes=[Route("/orders/{number}", order)]),
        WebSocketRoute("/chat/{room}", chat),
    ]
    return Starlette(routes=routes, middleware=list(middleware), **options)


def ask(app: Starlette, path: str) -> int:
    return TestClient(app, raise_server_exceptions=False).get(path).status_code


@pytest.mark.parametrize("made", ["before", "after", "serving"])
def test_an_app_made_before_or_after_us_or_serving_already_has_one_server_span(world: World, made: str) -> None:
    app = app_of()
    if made == "serving":
        ask(app, "/orders/1")
    world.engine.install(STARLETTE)
    app = app_of() if made == "after" else app

    assert [TestClient(app).get("/orders/7").text for _ in range(2)] == ["True", "True"]

    assert [(span.kind, span.name) for span in world.spans()] == [(SpanKind.SERVER, "GET /orders/{number}")] * 2


@pytest.mark.parametrize(
    ("path", "status", "route"),
    [
        ("/orders/1", 200, "/orders/{number}"),
        ("/nowhere", 404, None),
        ("/down", 503, "/down"),
        ("/shop/tea/orders/3", 200, "/shop/{name}/orders/{number}"),
    ],
)
def test_a_request_is_one_span_with_its_route(world: World, path: str, status: int, route: str | None) -> None:
    world.engine.install(STARLETTE)

    assert ask(app_of(), path) == status

    span = world.span()
    assert (span.attributes or {}).get(semconv.HTTP_ROUTE) == route
    assert span.status.status_code is (StatusCode.ERROR if status == 503 else StatusCode.UNSET)
    assert world.unhandled == []


@pytest.mark.parametrize("path", ["/orders/0", "/shop/tea/orders/0"])
def test_an_unhandled_exception_is_told_with_its_route(world: World, path: str) -> None:
    world.engine.install(STARLETTE)

    assert ask(app_of(), path) == 500

    ((exc, route, _),) = world.unhandled
    assert (exc, str(route).endswith("/orders/{number}")) == (BUG, True)
    assert world.span().status.status_code is StatusCode.ERROR


@pytest.mark.parametrize(
    ("user", "user_id"),
    [
        (SimpleUser("ann"), "ann"),
        (Row(id=7), "7"),
        (Row(_sa_instance_state=SimpleNamespace(identity=(7, 8))), "7:8"),
        (Row(_sa_instance_state=SimpleNamespace(identity=None)), None),
    ],
)
def test_the_user_that_a_middleware_loaded_is_read_without_a_query(
    world: World, user: BaseUser, user_id: str | None
) -> None:
    world.engine.install(STARLETTE)
    app = app_of(Middleware(AuthenticationMiddleware, backend=Backend(user)))

    ask(app, "/orders/1")
    ask(app, "/orders/0")

    assert world.users == ([user_id] if user_id else [])
    assert world.unhandled == [(BUG, "/orders/{number}", user_id)]


def test_a_socket_s_failure_is_told_and_a_hang_up_is_not(world: World) -> None:
    world.engine.install(STARLETTE)
    client = TestClient(app_of())

    with pytest.raises(ValueError, match="bug"), client.websocket_connect("/chat/broken") as socket:
        socket.send_text("hello")
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/chat/tea") as socket:
        socket.send_text("hello")

    assert [told[0] for told in world.unhandled] == [BUG]
    broken, left = world.spans()
    assert broken.status.status_code is StatusCode.ERROR
    assert left.status.status_code is StatusCode.OK
    assert (left.attributes or {})[semconv.GUARD_OUTCOME] == "cancelled"


def test_an_app_that_the_application_instrumented_is_left(world: World) -> None:
    world.engine.install(STARLETTE)
    app = app_of()
    StarletteInstrumentor.instrument_app(app, tracer_provider=world.provider)

    ask(app, "/orders/1")

    assert [span.kind for span in world.spans() if span.kind is SpanKind.SERVER] == [SpanKind.SERVER]


def test_the_lifespan_is_untouched(world: World) -> None:
    said: list[str] = []

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, str]]:
        said.append("up")
        yield {"key": "value"}
        said.append("down")

    world.engine.install(STARLETTE)
    with TestClient(app_of(lifespan=lifespan)) as client:
        client.get("/orders/1")

    assert said == ["up", "down"]
    assert len(world.spans()) == 1


@pytest.mark.parametrize("name", ["celery", "django", "fastapi", "flask", "httpx", "redis", "requests", "starlette"])
def test_contrib_may_be_loaded_before_the_library(name: str) -> None:
    command = [sys.executable, "-c", CONTRIB_FIRST, name]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (done.stdout, done.stderr) == ("['watched']\n", "")
