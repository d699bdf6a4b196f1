import threading
from types import SimpleNamespace
from typing import Any

import flask
import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.trace import SpanKind, StatusCode

from otel_guard.instrumentation.flask import FLASK
from tests.unit.instrumentation.conftest import World

BUG = ValueError("bug")


class User:
    """As Flask-Login gives it: asking for its id would be a query."""

    def __init__(self, **state: object) -> None:
        vars(self).update(state)

    def get_id(self) -> str:
        raise AssertionError


def app_of(user: User | None = None) -> flask.Flask:
    app = flask.Flask("shop")

    @app.before_request
    def load_user() -> None:
        flask.g.early = trace.get_current_span().get_span_context().is_valid
        if user is not None:
            flask.g._login_user = user

    @app.teardown_request
    def release(_exc: BaseException | None) -> None:
        app.config["late"] = trace.get_current_span().get_span_context().is_valid

    @app.get("/orders/<int:number>")
    def order(number: int) -> str:
        if number == 0:
            raise BUG
        return str(flask.g.early)

    return app


@pytest.mark.parametrize("is_earlier", [True, False])
def test_an_app_made_before_or_after_us_has_one_server_span(world: World, *, is_earlier: bool) -> None:
    app = app_of() if is_earlier else None
    world.engine.install(FLASK)
    app = app or app_of()

    answers = [app.test_client().get("/orders/7").text for _ in range(2)]

    assert answers == ["True", "True"]
    assert app.config["late"] is True
    assert [span.kind for span in world.spans()] == [SpanKind.SERVER] * 2
    assert all("/orders/<int:number>" in str(span.attributes) for span in world.spans())


def test_first_requests_at_once_have_a_span_each_at_most(world: World) -> None:
    world.engine.install(FLASK)
    app = app_of()
    threads = [threading.Thread(target=lambda: app.test_client().get("/orders/7")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    app.test_client().get("/orders/7")

    assert 1 <= len(world.spans()) <= 9


def test_an_unhandled_exception_is_told_with_route_and_user(world: World) -> None:
    world.engine.install(FLASK)
    app = app_of(User(id=42))

    response = app.test_client().get("/orders/0")

    assert response.status_code == 500
    assert world.unhandled == [(BUG, "/orders/<int:number>", "42")]
    assert world.span().status.status_code is StatusCode.ERROR


@pytest.mark.parametrize(
    ("state", "user_id"),
    [
        ({"id": "u1"}, "u1"),
        ({"_sa_instance_state": SimpleNamespace(identity=(7,))}, "7"),
        ({"_sa_instance_state": SimpleNamespace(identity=None)}, None),
        ({"name": "anonymous"}, None),
    ],
)
def test_the_loaded_user_is_read_without_a_query(world: World, state: dict[str, Any], user_id: str | None) -> None:
    world.engine.install(FLASK)

    app_of(User(**state)).test_client().get("/orders/7")

    assert world.users == ([user_id] if user_id else [])


def test_an_app_that_the_application_instrumented_is_left(world: World) -> None:
    world.engine.install(FLASK)
    app = app_of()
    FlaskInstrumentor.instrument_app(app, tracer_provider=world.provider)  # type: ignore[no-untyped-call]

    app.test_client().get("/orders/7")

    assert len(world.spans()) == 1


def test_uninstrument_stops_the_signals(world: World) -> None:
    world.engine.install(FLASK)
    original = flask.Flask.__call__
    world.engine.uninstrument()

    app_of().test_client().get("/orders/0")

    assert world.unhandled == []
    assert world.spans() == []
    assert flask.Flask.__call__ is not original
