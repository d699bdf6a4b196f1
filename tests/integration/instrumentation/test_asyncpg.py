import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import pytest
import sqlalchemy as sa
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.trace import SpanKind, StatusCode
from sqlalchemy.ext.asyncio import create_async_engine

from otel_guard.core import semconv
from otel_guard.instrumentation.asyncpg import ASYNCPG
from otel_guard.instrumentation.sqlalchemy import SQLALCHEMY
from otel_guard.runtime.suppression import sending
from tests.integration.instrumentation.capturing import Capturing
from tests.integration.instrumentation.test_psycopg import SECRET, WRONG, closed_port
from tests.unit.instrumentation.conftest import MakeWorld, World

STATEMENT = f"SELECT relname FROM pg_class WHERE relname = '{SECRET}' AND oid = $1"
DURATION = "db.client.operation.duration"
Use = Callable[[Any], Awaitable[Any]]


async def prepared(database: Any) -> None:
    await (await database.prepare(STATEMENT)).fetch(918273645)


async def cursor(database: Any) -> None:
    async with database.transaction():
        await (await database.cursor(STATEMENT, 918273645)).fetch(1)


USES: list[Use] = [
    lambda database: database.execute(STATEMENT, 918273645),
    lambda database: database.fetch(STATEMENT, 918273645),
    lambda database: database.fetchrow(STATEMENT, 918273645),
    lambda database: database.fetchval(STATEMENT, 918273645),
    lambda database: database.executemany(STATEMENT, [(918273645,), (918273646,)]),
    lambda database: database.executemany(command=STATEMENT, args=[(918273645,)]),
    prepared,
    cursor,
]


def run(dsn: str, use: Use) -> None:
    async def ran() -> None:
        database = await asyncpg.connect(dsn)
        try:
            await use(database)
        finally:
            await database.close()

    asyncio.run(ran())


@pytest.fixture
def watched(world: World) -> World:
    world.engine.install(ASYNCPG)
    assert [status.status for status in world.engine.status()] == ["watched"]
    return world


@pytest.fixture
def capturing(make_world: MakeWorld) -> Capturing:
    return Capturing(make_world, ASYNCPG)


@pytest.mark.parametrize("use", USES)
def test_a_statement_is_one_span_without_a_value(watched: World, dsn: str, use: Use) -> None:
    with watched.provider.get_tracer("test").start_as_current_span("request") as request:
        run(dsn, use)

    found = [span for span in watched.spans() if span.name == "SELECT pg_class"]
    (span,) = found
    assert (span.kind, span.status.status_code) == (SpanKind.CLIENT, StatusCode.UNSET)
    assert span.parent is not None
    assert span.parent.span_id == request.get_span_context().span_id
    attributes = dict(span.attributes or {})
    assert attributes[semconv.DB_SYSTEM_NAME] == "postgresql"
    assert attributes[semconv.DB_NAMESPACE] == dsn.rpartition("/")[2]
    assert attributes[semconv.DB_QUERY_TEXT] == "SELECT relname FROM pg_class WHERE relname = ? AND oid = $1"
    assert attributes[semconv.SERVER_ADDRESS] == "127.0.0.1"
    everything = "".join(one.to_json() for one in watched.spans())
    assert SECRET not in everything
    assert "918273645" not in everything


def test_a_statement_given_by_keyword_works_as_before(watched: World, dsn: str) -> None:
    found: list[Any] = []

    async def use(database: Any) -> None:
        found.append(await database.fetchval(query="SELECT 7"))

    run(dsn, use)

    assert found == [7]
    assert watched.span().name == "SELECT"


def test_a_pool_is_watched(watched: World, dsn: str) -> None:
    async def ran() -> None:
        async with asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool:
            await pool.fetchval("SELECT 1 FROM pg_class")
            async with pool.acquire() as database:
                await database.execute("SELECT 2 FROM pg_class")

    asyncio.run(ran())

    assert [span.name for span in watched.spans()].count("SELECT pg_class") == 2


def test_the_duration_is_measured_without_a_value(watched: World, dsn: str) -> None:
    run(dsn, lambda database: database.fetch(STATEMENT, 918273645))
    with pytest.raises(asyncpg.UndefinedTableError):
        run(dsn, lambda database: database.fetch("SELECT * FROM no_such_table"))

    good, bad = watched.points(DURATION)
    assert (good.count, bad.count) == (1, 1)
    assert good.attributes[semconv.DB_OPERATION_NAME] == "SELECT"
    assert semconv.ERROR_TYPE not in good.attributes
    assert bad.attributes[semconv.ERROR_TYPE] == "42P01"
    assert SECRET not in str(good)


@pytest.mark.parametrize(("statement", "code", "error_class", "severity"), WRONG)
def test_an_error_is_one_record_by_its_sqlstate(
    capturing: Capturing, dsn: str, statement: str, code: str, error_class: str, severity: str
) -> None:
    with pytest.raises(asyncpg.PostgresError):
        run(dsn, lambda database: database.execute(statement))

    span = capturing.world.span()
    attributes = dict(span.attributes or {})
    assert (attributes[semconv.ERROR_TYPE], attributes[semconv.DB_RESPONSE_STATUS_CODE]) == (code, code)
    assert (span.status.status_code, span.status.description, span.events) == (StatusCode.ERROR, code, ())
    assert capturing.graded() == ("database", "postgresql", error_class, severity)
    assert SECRET not in capturing.everything()


def test_a_cancelled_query_is_cancelled_and_no_record(capturing: Capturing, dsn: str) -> None:
    async def use(database: Any) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(database.execute("SELECT pg_sleep(10)"), 0.2)

    run(dsn, use)

    span = capturing.world.span()
    assert span.status.status_code is StatusCode.UNSET
    assert (span.attributes or {})[semconv.GUARD_OUTCOME] == "cancelled"
    assert capturing.records() == []


def test_a_time_limit_of_the_driver_is_a_time_out(capturing: Capturing, dsn: str) -> None:
    with pytest.raises(TimeoutError):
        run(dsn, lambda database: database.execute("SELECT pg_sleep(10)", timeout=0.2))

    assert capturing.graded() == ("database", "postgresql", "timeout", "medium")


async def pooled(address: str) -> None:
    async with asyncpg.create_pool(address, min_size=1):
        pass


@pytest.mark.parametrize("connect", [asyncpg.connect, asyncpg.connection.connect, pooled])
def test_a_refused_connect_is_one_record_whoever_imported_it_before(capturing: Capturing, connect: Any) -> None:
    port = closed_port()

    with pytest.raises(OSError):  # noqa: PT011 - ConnectionRefusedError, or a group's of two addresses
        asyncio.run(connect(f"postgresql://jane:{'pass' + 'word'}@127.0.0.1:{port}/shop"))

    span = capturing.world.span()
    assert (span.name, span.status.status_code) == ("connect", StatusCode.ERROR)
    attributes = dict(span.attributes or {})
    assert (attributes[semconv.SERVER_ADDRESS], attributes[semconv.SERVER_PORT]) == ("127.0.0.1", port)
    assert attributes[semconv.DB_NAMESPACE] == "shop"
    assert capturing.graded() == ("database", "postgresql", "connection", "high")
    assert "jane" not in span.to_json()


def test_a_connect_that_takes_too_long_is_one_record(capturing: Capturing) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        host, port = silent.getsockname()
        with pytest.raises(TimeoutError):
            asyncio.run(asyncpg.connect(f"postgresql://jane@{host}:{port}/shop", ssl=False, timeout=0.2))

    assert capturing.graded() == ("database", "postgresql", "timeout", "medium")


def test_a_wrong_database_has_its_sqlstate(capturing: Capturing, dsn: str) -> None:
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        asyncio.run(asyncpg.connect(dsn, database="no_such_database"))

    assert (capturing.attributes()[semconv.DB_RESPONSE_STATUS_CODE]) == "3D000"
    assert capturing.graded() == ("database", "postgresql", "config", "high")


def test_below_sqlalchemy_there_is_no_second_span(make_world: MakeWorld, dsn: str) -> None:
    capturing = Capturing(make_world, ASYNCPG, SQLALCHEMY)

    async def ran() -> None:
        engine = create_async_engine("postgresql+asyncpg://" + dsn.partition("://")[2], pool_pre_ping=True)
        async with engine.connect() as database:
            await database.execute(sa.text("SELECT 1 FROM pg_class"))
            with pytest.raises(sa.exc.ProgrammingError):
                await database.execute(sa.text("SELECT * FROM no_such_table"))
        await engine.dispose()

    asyncio.run(ran())

    assert [span.name for span in capturing.spans()] == ["SELECT pg_class", "SELECT no_such_table"]
    assert capturing.record().error_class == "client"


def test_the_guards_own_statements_make_no_span(watched: World, dsn: str) -> None:
    with sending():
        run(dsn, lambda database: database.execute("SELECT 1"))

    assert watched.spans() == []


def test_an_instrumentor_of_the_applications_own_is_left(world: World, dsn: str) -> None:
    theirs: Any = AsyncPGInstrumentor()  # type: ignore[no-untyped-call]
    theirs.instrument(tracer_provider=world.provider)
    try:
        world.engine.install(ASYNCPG)
        run(dsn, lambda database: database.execute("SELECT 1 FROM pg_class"))
    finally:
        world.engine.uninstrument()
        theirs.uninstrument()

    assert [span.name for span in world.spans()] == ["SELECT"]


def test_what_is_wrapped_is_put_back(watched: World, dsn: str) -> None:
    assert hasattr(asyncpg.Connection.fetch, "__wrapped__")
    watched.engine.uninstrument()
    run(dsn, lambda database: database.fetch("SELECT 1"))

    assert watched.spans() == []
    assert not hasattr(asyncpg.connect, "__wrapped__")
    assert not hasattr(asyncpg.Connection.fetch, "__wrapped__")
