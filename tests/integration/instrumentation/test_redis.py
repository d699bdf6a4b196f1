import asyncio
import importlib
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
import redis.asyncio
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.trace import SpanKind, StatusCode
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from otel_guard.core import semconv
from otel_guard.instrumentation.redis import REDIS
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.suppression import sending
from tests.integration.instrumentation.capturing import Capturing
from tests.integration.instrumentation.test_psycopg import closed_port
from tests.unit.instrumentation.conftest import MakeWorld, World

SECRET = "hunter" + "2-jane@example.org"
DURATION = "db.client.operation.duration"
LIMIT_S = 10.0
ONCE = Retry(NoBackoff(), 0)
ONCE_ASYNC = AsyncRetry(NoBackoff(), 0)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server of this module."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed: apt-get install redis-server")
    number, folder = closed_port(), tmp_path_factory.mktemp("redis")
    command = [program, "--port", str(number), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(number, server)
        yield number
    finally:
        server.terminate()
        server.wait(LIMIT_S)


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    until = SYSTEM.monotonic() + LIMIT_S
    while SYSTEM.monotonic() < until and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            SYSTEM.sleep(0.02)
        else:
            return
    pytest.fail("redis-server did not start")


@pytest.fixture
def watched(world: World) -> World:
    world.engine.install(REDIS)
    assert [status.status for status in world.engine.status()] == ["watched"]
    return world


@pytest.fixture
def capturing(make_world: MakeWorld) -> Capturing:
    return Capturing(make_world, REDIS)


@pytest.fixture
def client(port: int) -> Iterator[Any]:
    made = redis.Redis(port=port)
    yield made
    made.close()


def in_pipeline(client: Any) -> None:
    with client.pipeline() as pipeline:
        pipeline.set(SECRET, SECRET)
        pipeline.get(SECRET)
        pipeline.execute()


def many(client: Any) -> None:
    with client.pipeline() as pipeline:
        for _ in range(1_000):
            pipeline.set(SECRET, SECRET)
        pipeline.execute()


USES: list[tuple[Callable[[Any], Any], str, str]] = [
    (lambda client: client.set(SECRET, SECRET), "SET", "SET ? ?"),
    (lambda client: client.get(SECRET), "GET", "GET ?"),
    (lambda client: client.config_get("maxmemory"), "CONFIG GET", "CONFIG GET ?"),
    (lambda client: client.execute_command(f"SET {SECRET} {SECRET}"), "SET", "SET ? ?"),
    (in_pipeline, "PIPELINE", "SET ? ? GET ?"),
    (lambda client: client.eval(f"return '{SECRET}'", 0), "EVAL", "EVAL ? ?"),
]


@pytest.mark.parametrize(("use", "name", "text"), USES)
def test_a_command_is_one_span_without_key_and_value(
    watched: World, client: Any, port: int, use: Callable[[Any], Any], name: str, text: str
) -> None:
    with watched.provider.get_tracer("test").start_as_current_span("request") as request:
        use(client)

    span, _ = watched.spans()
    assert (span.name, span.kind, span.status.status_code) == (name, SpanKind.CLIENT, StatusCode.UNSET)
    assert span.parent is not None
    assert span.parent.span_id == request.get_span_context().span_id
    attributes = dict(span.attributes or {})
    assert attributes[semconv.DB_SYSTEM_NAME] == "redis"
    assert str(attributes[semconv.DB_QUERY_TEXT]).split() == text.split()
    assert attributes[semconv.GUARD_CONTEXT] == "cache"
    assert (attributes[semconv.SERVER_ADDRESS], attributes[semconv.SERVER_PORT]) == ("localhost", port)
    assert SECRET not in span.to_json()


def test_a_long_pipeline_has_a_short_name(watched: World, client: Any) -> None:
    many(client)

    assert watched.span().name == "PIPELINE SET"
    assert len(str((watched.span().attributes or {})[semconv.DB_QUERY_TEXT])) <= 1_000


def test_an_asynchronous_command_and_pipeline_are_watched(watched: World, port: int) -> None:
    async def run() -> None:
        client = redis.asyncio.Redis(port=port)
        await client.set(SECRET, SECRET)
        async with client.pipeline() as pipeline:
            pipeline.get(SECRET)
            pipeline.delete(SECRET)
            await pipeline.execute()
        await client.aclose()

    asyncio.run(run())

    assert [span.name for span in watched.spans()] == ["SET", "PIPELINE"]
    assert SECRET not in "".join(span.to_json() for span in watched.spans())


@pytest.mark.parametrize(
    ("use", "error_class", "severity", "code"),
    [
        (lambda client: client.lpush("text", SECRET), "client", "low", "WRONGTYPE"),
        (lambda client: client.execute_command("NONSENSE", SECRET), "client", "low", None),
        (lambda client: client.pipeline().lpush("text", SECRET).execute(), "client", "low", "WRONGTYPE"),
        (lambda client: client.eval(f"return redis.call('LPUSH', 'text', '{SECRET}')", 0), "client", "low", None),
    ],
)
def test_an_error_is_one_record_without_key_and_value(
    capturing: Capturing, client: Any, use: Callable[[Any], Any], error_class: str, severity: str, code: str | None
) -> None:
    client.set("text", "x")
    with pytest.raises(redis.ResponseError):
        use(client)

    span = capturing.spans()[-1]
    attributes = dict(span.attributes or {})
    assert attributes[semconv.ERROR_TYPE] == span.status.description == "ResponseError"
    if code is not None:
        assert attributes[semconv.DB_RESPONSE_STATUS_CODE] == code
    assert span.events == ()
    assert capturing.graded() == ("cache", "redis", error_class, severity)
    assert SECRET not in capturing.everything()


def refused() -> None:
    redis.Redis(host="127.0.0.1", port=closed_port(), retry=ONCE).get(SECRET)


def refused_async() -> None:
    async def run() -> None:
        async with redis.asyncio.Redis(host="127.0.0.1", port=closed_port(), retry=ONCE_ASYNC) as client:
            await client.get(SECRET)

    asyncio.run(run())


@pytest.mark.parametrize("use", [refused, refused_async])
def test_a_refused_connection_is_one_record(capturing: Capturing, use: Callable[[], None]) -> None:
    with pytest.raises(redis.ConnectionError):
        use()

    assert capturing.graded() == ("cache", "redis", "connection", "low")


def test_a_silent_server_is_a_time_out(capturing: Capturing) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        client = redis.Redis(port=silent.getsockname()[1], host="127.0.0.1", socket_timeout=0.05, retry=ONCE)
        with pytest.raises(redis.TimeoutError):
            client.get(SECRET)
        client.close()

    assert capturing.graded() == ("cache", "redis", "timeout", "low")


def test_a_wrong_password_is_auth(capturing: Capturing, client: Any, port: int) -> None:
    with sending():
        client.acl_setuser("jane", enabled=True, passwords=["+right"])
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=port, username="jane", password="wrong").get("a")

    assert capturing.graded() == ("cache", "redis", "auth", "high")


def test_a_lost_race_is_no_failure(capturing: Capturing, client: Any) -> None:
    with client.pipeline() as pipeline:
        pipeline.watch("raced")
        client.set("raced", "by another")
        pipeline.multi()
        pipeline.set("raced", "by us")
        with pytest.raises(redis.WatchError):
            pipeline.execute()

    assert capturing.records() == []
    assert {span.status.status_code for span in capturing.spans()} == {StatusCode.UNSET}


def test_a_cancelled_command_is_cancelled_and_no_record(capturing: Capturing, port: int) -> None:
    async def run() -> None:
        client = redis.asyncio.Redis(port=port)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.blpop(["nothing"], timeout=5), 0.1)
        await client.aclose()

    asyncio.run(run())

    assert (capturing.world.span().attributes or {})[semconv.GUARD_OUTCOME] == "cancelled"
    assert capturing.records() == []


@pytest.mark.may_skip
def test_the_duration_is_measured_unless_the_client_measures_itself(watched: World, client: Any) -> None:
    client.get(SECRET)
    (point,) = watched.points(DURATION)
    assert (point.count, point.attributes[semconv.DB_OPERATION_NAME]) == (1, "GET")
    assert SECRET not in str(point)

    # From redis-py 7.2 on.
    own = pytest.importorskip("redis.observability.providers").get_observability_instance()
    own.init(importlib.import_module("redis.observability.config").OTelConfig())
    try:
        client.get(SECRET)
    finally:
        own.shutdown()

    (point,) = watched.points(DURATION)
    assert point.count == 1
    assert len(watched.spans()) == 2


def test_the_guards_own_commands_make_no_span(watched: World, client: Any) -> None:
    with sending():
        client.get("a")

    assert watched.spans() == []


def test_an_instrumentor_of_the_applications_own_is_left(world: World, client: Any) -> None:
    theirs = RedisInstrumentor()
    theirs.instrument(tracer_provider=world.provider)
    try:
        world.engine.install(REDIS)
        client.get("a")
    finally:
        world.engine.uninstrument()
        theirs.uninstrument()

    assert len(world.spans()) == 1


def test_what_is_wrapped_is_put_back(watched: World, client: Any) -> None:
    watched.engine.uninstrument()
    client.get("a")

    assert watched.spans() == []
    assert not hasattr(redis.Redis.execute_command, "__wrapped__")
