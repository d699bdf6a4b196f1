import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask
import pytest
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_guard.core.exceptions import NotConfiguredError, OtelGuardError
from otel_guard.core.web import Request
from otel_guard.guard import configure
from otel_guard.integrations.flask import mount
from otel_guard.settings import Settings
from tests.unit.health.world import World

OTEL: Any = FlaskInstrumentor
PATHS = ["/livez", "/readyz", "/health"]


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """What OTel's instrumentation saw."""
    exporter = InMemorySpanExporter()
    yield exporter
    exporter.shutdown()


@pytest.fixture
def provider(spans: InMemorySpanExporter) -> Iterator[TracerProvider]:
    """Where it puts it."""
    made = TracerProvider()
    made.add_span_processor(SimpleSpanProcessor(spans))
    yield made
    made.shutdown()


@pytest.fixture
def app() -> flask.Flask:
    """An application that lets nobody in without a login."""
    made = flask.Flask("shop")

    @made.before_request
    def login() -> Any:
        return ("login first", 401) if flask.request.path != "/" else None

    @made.get("/")
    def index() -> str:
        return "shop"

    return made


def status(app: flask.Flask, path: str, **given: Any) -> int:
    return app.test_client().get(path, **given).status_code


@pytest.mark.parametrize("path", PATHS)
def test_the_endpoints_answer_before_the_application(app: flask.Flask, world: World, path: str) -> None:
    world.health.start()
    mount(app, world)

    assert status(app, path) == 200
    assert (status(app, "/"), status(app, "/other"), status(app, f"{path}/")) == (200, 401, 401)


@pytest.mark.parametrize("order", ["before", "after", "twice"])
@pytest.mark.parametrize("path", PATHS)
def test_they_are_not_traced_whenever_the_application_is_instrumented(
    app: flask.Flask, world: World, provider: TracerProvider, spans: InMemorySpanExporter, order: str, path: str
) -> None:
    world.health.start()
    if order != "after":
        OTEL.instrument_app(app, tracer_provider=provider, excluded_urls="nothing")
    mount(app, world)
    if order == "after":
        OTEL.instrument_app(app, tracer_provider=provider, excluded_urls="nothing")
    if order == "twice":
        OTEL.uninstrument_app(app)
        OTEL.instrument_app(app, tracer_provider=provider)
    assert status(app, path) == 200
    assert spans.get_finished_spans() == ()

    assert status(app, "/") == 200
    assert [span.name for span in spans.get_finished_spans()] == ["GET /"]


def test_an_app_stays_what_it_is_and_other_apps_too(world: World) -> None:
    class Shop(flask.Flask):
        """A subclass, as users have it."""

    mine, other = Shop("mine"), flask.Flask("other")
    mount(mine, world)

    assert isinstance(mine, Shop)
    assert type(mine).__name__ == "Shop"
    assert status(other, "/livez") == 404
    with mine.app_context():
        assert flask.current_app.name == "mine"


def test_below_a_prefix_and_not_at_all(app: flask.Flask, world: World) -> None:
    mount(app, world, health="/internal")
    assert (status(app, "/internal/livez"), status(app, "/livez")) == (200, 401)

    bare = flask.Flask("bare")
    mount(bare, world, health=None)
    assert status(bare, "/livez") == 404


def test_the_application_authorizes_by_its_cookie(app: flask.Flask, world: World) -> None:
    seen: list[Request] = []

    def authorize(request: Request) -> Any:
        seen.append(request)
        return "viewer" if request.cookies.get("sid") == "7" else None

    world.health.start()
    mount(app, world, authorize=authorize)
    client = app.test_client()
    anonymous = client.get("/health?scope=process").json
    client.set_cookie("sid", "7")

    assert sorted(anonymous or {}) == ["status", "timestamp", "version"]
    assert (client.get("/health?scope=process").json or {})["scope"] == "process"
    assert (seen[0].query, seen[0].path) == ({"scope": "process"}, "/health")


def test_a_token_shows_the_details(app: flask.Flask, make_world: Any) -> None:
    token = "t" * 32
    world = make_world(health_token=token)
    world.health.start()
    mount(app, world)
    shown = app.test_client().get("/health", headers={"Authorization": f"Bearer {token}"})
    wrong = app.test_client().get("/health", headers={"Authorization": f"Bearer {token[:-1]}"})

    assert json.loads(shown.data)["services"]["database"] == {"status": "not_configured"}
    assert (wrong.status_code, len(json.loads(wrong.data))) == (200, 3)


def test_head_has_no_body(app: flask.Flask, world: World) -> None:
    mount(app, world)
    answer = app.test_client().head("/livez")

    assert (answer.status_code, answer.data, answer.headers["Content-Length"]) == (200, b"", "18")


def test_before_configure_it_says_so(app: flask.Flask) -> None:
    with pytest.raises(NotConfiguredError, match="configure"):
        mount(app)


def test_pages_without_a_postgres_are_said(app: flask.Flask, world: World) -> None:
    world.settings = Settings()  # type: ignore[attr-defined]

    with pytest.raises(OtelGuardError, match="the pages need OTEL_GUARD_DSN"):
        mount(app, world, dashboard="/ops")


def test_the_pages_of_a_guard_answer_below_their_path(app: flask.Flask, dsn: str, tmp_path: Path) -> None:
    with configure(dsn=dsn, journal_dir=tmp_path, secret_key="k" * 32, instrument_off=["flask"]) as guard:
        mount(app, guard, dashboard="/ops")
        gone = app.test_client().get(
            f"/ops/alerts/{'0' * 8}-0000-7000-8000-{'0' * 12}/acknowledge?expires=1&signature=x"
        )
        other = app.test_client().get("/ops/nothing")

    assert (gone.status_code, other.status_code) == (403, 404)
    assert gone.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_pages_are_mounted_below_their_path(app: flask.Flask, world: World) -> None:
    def pages(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [f"{environ['SCRIPT_NAME']}|{environ['PATH_INFO']}".encode()]

    world.dashboard = lambda _authorize: pages  # type: ignore[attr-defined]
    mount(app, world, dashboard="/ops")
    client = app.test_client()

    assert [client.get(path).data for path in ("/ops", "/ops/", "/ops/errors/7")] == [
        b"/ops|",
        b"/ops|/",
        b"/ops|/errors/7",
    ]
    assert client.get("/opsx").status_code == 401
