import asyncio
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import django  # type: ignore[import-untyped]
import pytest
from django.conf import settings  # type: ignore[import-untyped]
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation  # type: ignore[import-untyped]
from django.core.handlers.wsgi import WSGIHandler  # type: ignore[import-untyped]
from django.http import Http404, HttpRequest, HttpResponse  # type: ignore[import-untyped]
from django.test import AsyncClient, Client, RequestFactory, override_settings  # type: ignore[import-untyped]
from django.urls import include, path  # type: ignore[import-untyped]
from django.utils.functional import SimpleLazyObject  # type: ignore[import-untyped]
from opentelemetry import trace
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.trace import SpanKind, StatusCode

from otel_guard.core import marks, semconv
from otel_guard.instrumentation.django import DJANGO
from tests.unit.instrumentation.conftest import World

URLS = "otel_guard_test_urls"
BUG = ValueError("bug")
KEY = "k3yOfAnOrder"
ERRORS = {"404": Http404, "403": PermissionDenied, "400": BadRequest, "suspicious": SuspiciousOperation}


class User:
    """As django.contrib.auth gives it: loaded, `pk` could be a query."""

    _meta = SimpleNamespace(pk=SimpleNamespace(attname="uid"))

    def __init__(self, **state: object) -> None:
        vars(self).update(state)

    @property
    def pk(self) -> str:
        raise AssertionError


def never() -> Any:
    raise AssertionError("a query")


def order(_request: HttpRequest, key: str) -> HttpResponse:
    if key == "broken":
        raise BUG
    if key in ERRORS:
        raise ERRORS[key](key)
    if key == "down":
        return HttpResponse("down", status=503)
    return HttpResponse(str(trace.get_current_span().get_span_context().is_valid))


async def order_async(request: HttpRequest, key: str) -> HttpResponse:
    await asyncio.sleep(0)
    if key == "gone":
        raise asyncio.CancelledError
    return order(request, key)


def user_of(get_response: Any) -> Any:
    def middleware(request: HttpRequest) -> HttpResponse:
        kind = request.headers.get("X-User")
        lazy: Any = SimpleLazyObject((lambda: User(uid=7)) if kind == "loaded" else never)
        if kind == "loaded":
            str(lazy.uid)
        request.user = lazy
        answer: HttpResponse = get_response(request)
        return answer

    return middleware


def breaks(_get_response: Any) -> Any:
    def middleware(_request: HttpRequest) -> HttpResponse:
        raise BUG

    return middleware


@pytest.fixture(scope="module", autouse=True)
def site() -> Iterator[None]:
    urls: Any = ModuleType(URLS)
    urls.order, urls.user_of, urls.breaks = order, user_of, breaks
    orders = [path("<str:key>/", order), path("async/<str:key>/", order_async)]
    urls.urlpatterns = [path("orders/", include(orders)), path("", lambda _: HttpResponse("front"))]
    sys.modules[URLS] = urls
    if not settings.configured:
        settings.configure(
            ROOT_URLCONF=URLS, MIDDLEWARE=[f"{URLS}.user_of"], ALLOWED_HOSTS=["testserver"], SECRET_KEY="x" * 50
        )
        django.setup()
    yield
    del sys.modules[URLS]


def ask(url: str, **headers: str) -> HttpResponse:
    answer: HttpResponse = Client(raise_request_exception=False).get(url, headers=headers)
    return answer


def test_a_request_is_one_server_span_with_its_route(world: World) -> None:
    world.engine.install(DJANGO)

    assert [ask("/orders/7/").content for _ in range(2)] == [b"True", b"True"]

    assert [(span.kind, span.name) for span in world.spans()] == [(SpanKind.SERVER, "GET orders/<str:key>/")] * 2


def test_a_handler_made_before_us_is_watched_and_the_settings_stay(world: World) -> None:
    handler, before = WSGIHandler(), list(settings.MIDDLEWARE)
    world.engine.install(DJANGO)

    answer = handler(RequestFactory()._base_environ(PATH_INFO="/orders/7/"), lambda *_: None)

    assert b"".join(answer) == b"True"
    assert [span.name for span in world.spans()] == ["GET orders/<str:key>/"]
    assert list(settings.MIDDLEWARE) == before


@pytest.mark.parametrize("prefix", ["/orders/", "/orders/async/"])
def test_an_unhandled_exception_is_told_with_route_and_loaded_user(world: World, prefix: str) -> None:
    world.engine.install(DJANGO)

    assert ask(f"{prefix}broken/", **{"X-User": "loaded"}).status_code == 500

    assert world.unhandled == [(BUG, f"{prefix[1:]}<str:key>/", "7")]
    span = world.span()
    assert span.status.status_code is StatusCode.ERROR
    assert [event.name for event in span.events] == ["exception"]


def test_an_exception_of_a_middleware_is_told(world: World) -> None:
    world.engine.install(DJANGO)

    with override_settings(MIDDLEWARE=[f"{URLS}.breaks"]):
        assert ask("/orders/7/").status_code == 500

    assert world.unhandled == [(BUG, None, None)]
    assert world.span().status.status_code is StatusCode.ERROR


@pytest.mark.parametrize(("key", "status"), [("404", 404), ("403", 403), ("400", 400), ("suspicious", 400)])
def test_a_refusal_is_no_failure(world: World, key: str, status: int) -> None:
    world.engine.install(DJANGO)

    assert ask(f"/orders/{key}/").status_code == status

    assert world.unhandled == []
    assert (world.span().status.status_code, world.span().events) == (StatusCode.UNSET, ())


def test_a_suspicious_request_that_django_logs_as_an_error_is_forgiven(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.engine.install(DJANGO)

    ask("/orders/suspicious/")

    (logged,) = [record for record in caplog.records if record.exc_info]
    assert logged.exc_info is not None
    mark = marks.get(logged.exc_info[1])  # type: ignore[arg-type]
    assert (mark is not None, mark.record_id if mark else None) == (True, "")


def test_a_500_without_exception_is_an_error_of_the_span(world: World) -> None:
    world.engine.install(DJANGO)

    assert ask("/orders/down/").status_code == 503

    assert world.span().status.status_code is StatusCode.ERROR
    assert world.unhandled == []


@pytest.mark.parametrize("path_of", ["/orders/{}/", "/orders/async/{}/"])
def test_the_path_with_its_secret_is_nowhere(world: World, path_of: str) -> None:
    world.engine.install(DJANGO)

    url = path_of.format(KEY)
    ask(url)
    asyncio.run(AsyncClient().get(url))
    WSGIHandler()(RequestFactory()._base_environ(PATH_INFO=url, RAW_URI=f"{url}?t=1"), lambda *_: None)

    assert len(world.spans()) == 3
    assert KEY not in str([dict(span.attributes or {}) for span in world.spans()])


@pytest.mark.parametrize(("kind", "users"), [("loaded", ["7"]), ("lazy", [])])
def test_the_user_is_read_only_if_it_is_loaded(world: World, kind: str, users: list[str]) -> None:
    world.engine.install(DJANGO)

    ask("/orders/7/", **{"X-User": kind})

    assert world.users == users


def test_an_async_view_stays_async_and_is_one_span(world: World) -> None:
    world.engine.install(DJANGO)

    answer = asyncio.run(AsyncClient().get("/orders/async/7/"))

    assert answer.content == b"True"
    assert [(span.kind, span.name) for span in world.spans()] == [(SpanKind.SERVER, "GET orders/async/<str:key>/")]


def test_a_client_that_is_gone_is_no_failure(world: World) -> None:
    world.engine.install(DJANGO)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(AsyncClient().get("/orders/async/gone/"))

    span = world.span()
    assert (span.attributes or {})[semconv.GUARD_OUTCOME] == "cancelled"
    assert span.status.status_code is StatusCode.UNSET
    assert world.unhandled == []
    assert not trace.get_current_span().get_span_context().is_valid


def test_an_exception_that_django_lets_through_ends_the_span(world: World) -> None:
    world.engine.install(DJANGO)

    with override_settings(DEBUG_PROPAGATE_EXCEPTIONS=True), pytest.raises(ValueError, match="bug"):
        Client().get("/orders/broken/")

    assert {told[0] for told in world.unhandled} == {BUG}
    assert world.span().status.status_code is StatusCode.ERROR
    assert not trace.get_current_span().get_span_context().is_valid


def test_a_bad_host_gets_the_answer_it_gets_without_us(world: World) -> None:
    plain = Client(HTTP_HOST="elsewhere.example").get("/").status_code
    world.engine.install(DJANGO)

    assert Client(HTTP_HOST="elsewhere.example").get("/").status_code == plain
    assert world.spans() == []


def test_contrib_in_the_application_s_settings_is_left_but_told(world: World) -> None:
    DjangoInstrumentor().instrument(tracer_provider=world.provider)
    try:
        world.engine.install(DJANGO)

        ask("/orders/broken/")
    finally:
        DjangoInstrumentor().uninstrument()

    assert len(world.spans()) == 1
    assert world.unhandled == [(BUG, "orders/<str:key>/", None)]


def test_uninstrument_stops_the_signals(world: World) -> None:
    world.engine.install(DJANGO)
    ask("/orders/7/")
    world.engine.uninstrument()

    ask("/orders/broken/")

    assert world.unhandled == []
    assert len(world.spans()) == 1
