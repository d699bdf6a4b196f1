import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from werkzeug.test import Client

from otel_guard.integrations.wsgi import wrap
from tests.unit.health.world import World

ROOT = Path(__file__).parents[3]


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


def test_django_is_answered_before_its_middleware() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.health.django_site"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr

    assert json.loads(done.stdout) == {
        "answers": [200, 200, 200],
        "before": [[], 0],
        "page": 301,  # its own redirect to SSL
        "after": [["/shop"], 1],
    }
