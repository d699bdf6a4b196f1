from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.test import Client

from otel_guard.integrations.wsgi import wrap
from tests.unit.health.world import World

SEEN: list[str] = []


def plain(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode()]


def test_any_application_is_wrapped(world: World) -> None:
    world.health.start()
    client = Client(wrap(plain, world))

    assert client.get("/shop").text == "/shop"
    assert client.get("/readyz").json == {"status": "ready"}
    assert client.head("/health").status_code == 200
    assert client.post("/health").status_code == 405


def test_below_a_script_name_the_path_is_the_application_s(world: World) -> None:
    client = Client(wrap(plain, world))

    assert client.get("/livez", environ_overrides={"SCRIPT_NAME": "/app"}).json == {"status": "alive"}


def test_other_attributes_are_the_application_s(world: World) -> None:
    class Application:
        """A callable with more to it."""

        name = "shop"

        def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
            return plain(environ, start_response)

    assert wrap(Application(), world).name == "shop"


class Middleware:
    """Sends everybody to the login."""

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self._get_response = get_response

    def __call__(self, request: Any) -> Any:
        SEEN.append(request.path)
        return self._get_response(request)


@pytest.fixture
def django() -> Iterator[Any]:
    """A Django application with every middleware that gets in the way of a health check."""
    conf = pytest.importorskip("django.conf")
    core = pytest.importorskip("django.core.wsgi")
    if not conf.settings.configured:
        conf.settings.configure(
            SECRET_KEY="x" * 50,
            ALLOWED_HOSTS=["shop.example"],
            SECURE_SSL_REDIRECT=True,
            MIDDLEWARE=["django.middleware.security.SecurityMiddleware", f"{__name__}.Middleware"],
            ROOT_URLCONF=__name__,
            LOGGING_CONFIG=None,
        )
    SEEN.clear()
    return iter([core.get_wsgi_application()])


urlpatterns: list[Any] = []


def test_django_is_answered_before_its_middleware(django: Any, world: World) -> None:
    world.health.start()
    client = Client(wrap(django, world))

    assert [client.get(path).status_code for path in ("/livez", "/readyz", "/health")] == [200, 200, 200]
    assert SEEN == []
    assert client.get("/admin").status_code in {301, 400}  # its own host and SSL checks
