import json
import subprocess
import sys
from importlib.metadata import entry_points

from otel_guard.instrumentation import _libraries
from otel_guard.instrumentation._libraries import DISABLED_BY_US, LIBRARIES
from tests.unit.instrumentation.conftest import World

# In a process of its own: here the libraries are loaded already.
SCRIPT = """
import json, sys
from opentelemetry import trace, metrics
from otel_guard.instrumentation._engine import Engine
from otel_guard.instrumentation._libraries import install
from otel_guard.runtime.failsafe import Failsafe

engine = Engine(trace.get_tracer("x"), metrics.get_meter("x"), Failsafe(strict=True), handover=print)
said = install(engine, off=frozenset({"sqlalchemy", "nonsense"}), on=frozenset())
print(json.dumps({status.name: status.status for status in said}))
print(sorted({"stripe", "flask", "openai", "httpx2", "requests"} & set(sys.modules)))
import httpx2, stripe, smtplib, flask, openai, requests
stripe.StripeClient
openai.OpenAI(api_key="x").chat
print(json.dumps({status.name: status.status for status in engine.status()}))
"""


def test_the_disabled_names_are_real_entry_points() -> None:
    known = {point.name for point in entry_points(group="opentelemetry_instrumentor")}

    assert set(DISABLED_BY_US) <= known


def test_the_names_are_unique_and_sorted() -> None:
    names = [library.name for library in LIBRARIES]

    assert names == sorted(set(names))


def test_libraries_load_their_files_lazily() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=False)

    assert done.stderr == ""
    first, loaded, second = done.stdout.splitlines()
    said, watched = json.loads(first), json.loads(second)
    names = ("flask", "httpx2", "openai", "requests", "stripe")
    assert {said[name] for name in names} == {"waiting"}
    assert (said["sqlalchemy"], said["nonsense"], loaded) == ("off", "unknown", "[]")
    assert {watched[name] for name in (*names, "smtplib")} == {"watched"}


def test_a_library_that_is_off_is_not_touched(world: World) -> None:
    everything = frozenset(library.name for library in LIBRARIES)

    said = _libraries.install(world.engine, off=everything, on=frozenset())

    assert {status.status for status in said} == {"off"}
    assert world.engine.status() == ()
