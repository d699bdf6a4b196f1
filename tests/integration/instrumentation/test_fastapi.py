import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import fastapi
import pytest
from fastapi.testclient import TestClient
from opentelemetry import trace
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.trace import SpanKind, StatusCode
from starlette.requests import ClientDisconnect

from otel_guard.core import semconv
from otel_guard.instrumentation.fastapi import FASTAPI
from otel_guard.instrumentation.starlette import STARLETTE
from tests.unit.instrumentation.conftest import World

BUG = ValueError("bug")
Started = list[str]


def app_of(started: Started | None = None) -> fastapi.FastAPI:
    app = fastapi.FastAPI()

    @app.middleware("http")
    async def count(request: fastapi.Request, call_next: Any) -> Any:
        if started is not None:
            started.append(request.url.path)
        return await call_next(request)

    @app.get("/items/{number}")
    async def item(number: int) -> int:
        if number == 0:
            raise BUG
        if number == 503:
            raise fastapi.HTTPException(503)
        if number == 404:
            raise fastapi.HTTPException(404)
        return number

    @app.get("/sync/{number}")
    def in_a_thread(number: int) -> int:
        raise BUG if number else KeyError

    _add_ends(app)
    _add_parts(app)
    return app


def _add_ends(app: fastapi.FastAPI) -> None:
    @app.get("/me")
    async def me() -> str:
        trace.get_current_span().set_attribute("user.id", "u7")
        raise BUG

    @app.get("/gone")
    async def gone() -> None:
        raise ClientDisconnect

    @app.get("/later")
    async def later(tasks: fastapi.BackgroundTasks) -> str:
        tasks.add_task(fails_later)
        return "accepted"


def _add_parts(app: fastapi.FastAPI) -> None:
    inner, shared = fastapi.FastAPI(), fastapi.APIRouter(prefix="/shared")

    @inner.get("/deep/{number}")
    async def deep(number: int) -> int:
        return number

    @shared.get("/{number}")
    async def of_a_router(number: int) -> int:
        return number

    app.mount("/inner", inner)
    app.include_router(shared)


def fails_later() -> None:
    raise BUG


@pytest.fixture
def watched(world: World) -> World:
    world.engine.install(FASTAPI)
    world.engine.install(STARLETTE)
    return world


def ask(app: fastapi.FastAPI, path: str) -> int:
    return TestClient(app, raise_server_exceptions=False).get(path).status_code


@pytest.mark.parametrize("made", ["before", "after", "serving"])
def test_an_app_made_before_or_after_us_or_serving_already_has_one_server_span(world: World, made: str) -> None:
    app = app_of() if made != "after" else None
    if made == "serving":
        assert ask(app_of() if app is None else app, "/items/1") == 200
    world.engine.install(FASTAPI)
    world.engine.install(STARLETTE)
    app = app or app_of()

    assert [ask(app, "/items/7") for _ in range(2)] == [200, 200]

    assert [(span.kind, span.name) for span in world.spans()] == [(SpanKind.SERVER, "GET /items/{number}")] * 2
    assert world.unhandled == []


def test_middleware_of_a_serving_app_is_not_made_twice(world: World) -> None:
    started: Started = []
    app = app_of(started)
    ask(app, "/items/1")
    world.engine.install(FASTAPI)

    ask(app, "/items/2")

    assert started == ["/items/1", "/items/2"]


@pytest.mark.parametrize(
    ("path", "status", "route", "is_error"),
    [
        ("/items/7", 200, "/items/{number}", False),
        ("/items/x", 422, "/items/{number}", False),
        ("/items/404", 404, "/items/{number}", False),
        ("/items/503", 503, "/items/{number}", True),
        ("/nowhere", 404, None, False),
        ("/inner/deep/3", 200, "/inner/deep/{number}", False),
        ("/shared/3", 200, "/shared/{number}", False),
    ],
)
def test_a_request_is_one_span_with_its_route(
    watched: World, path: str, status: int, route: str | None, *, is_error: bool
) -> None:
    assert ask(app_of(), path) == status

    span = watched.span()
    attributes = dict(span.attributes or {})
    assert attributes.get(semconv.HTTP_ROUTE) == route
    assert span.status.status_code is (StatusCode.ERROR if is_error else StatusCode.UNSET)
    assert span.events == ()
    assert watched.unhandled == []


@pytest.mark.parametrize(("path", "route"), [("/items/0", "/items/{number}"), ("/sync/1", "/sync/{number}")])
def test_an_unhandled_exception_is_told_with_its_route(watched: World, path: str, route: str) -> None:
    assert ask(app_of(), path) == 500

    assert watched.unhandled == [(BUG, route, None)]
    assert watched.span().status.status_code is StatusCode.ERROR


def test_the_application_s_own_answer_to_an_exception_stays(watched: World) -> None:
    app = app_of()

    @app.exception_handler(Exception)
    async def answer(_request: fastapi.Request, _exc: Exception) -> fastapi.Response:
        return fastapi.Response("ours", status_code=500)

    assert TestClient(app, raise_server_exceptions=False).get("/items/0").text == "ours"
    assert [told[0] for told in watched.unhandled] == [BUG]


def test_the_span_s_user_is_the_user(watched: World) -> None:
    ask(app_of(), "/me")

    assert watched.unhandled == [(BUG, "/me", "u7")]


def test_a_client_that_is_gone_is_no_failure(watched: World) -> None:
    ask(app_of(), "/gone")

    span = watched.span()
    assert (span.attributes or {})[semconv.GUARD_OUTCOME] == "cancelled"
    assert span.status.status_code is StatusCode.OK
    assert watched.unhandled == []


def test_a_background_task_fails_after_the_answer(watched: World) -> None:
    assert ask(app_of(), "/later") == 200

    assert watched.unhandled == [(BUG, "/later", None)]


def test_an_app_that_the_application_instrumented_is_left_but_told(watched: World) -> None:
    app = app_of()
    FastAPIInstrumentor.instrument_app(app, tracer_provider=watched.provider, exclude_spans=["receive", "send"])

    ask(app, "/items/0")

    assert len(watched.spans()) == 1
    assert watched.unhandled == [(BUG, "/items/{number}", None)]


def test_the_lifespan_is_untouched(watched: World) -> None:
    said: list[str] = []

    @asynccontextmanager
    async def lifespan(_app: fastapi.FastAPI) -> AsyncIterator[None]:
        said.append("up")
        yield
        said.append("down")

    with TestClient(fastapi.FastAPI(lifespan=lifespan)):
        pass

    assert said == ["up", "down"]
    assert watched.spans() == []


def test_a_server_still_sees_an_asgi_3_application(watched: World) -> None:
    app = app_of()

    assert watched.engine.status()[0].status == "watched"
    assert inspect.iscoroutinefunction(app.__call__)


def test_uninstrument_leaves_served_apps_silent(watched: World) -> None:
    app = app_of()
    ask(app, "/items/1")
    watched.engine.uninstrument()

    ask(app, "/items/0")

    assert watched.unhandled == []
