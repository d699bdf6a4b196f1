import asyncio
import importlib
import socket
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from opentelemetry import trace
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.trace import SpanKind, StatusCode
from psycopg.sql import SQL, Literal

from otel_guard.core import semconv
from otel_guard.instrumentation.psycopg import PSYCOPG
from otel_guard.instrumentation.sqlalchemy import SQLALCHEMY
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.suppression import sending
from otel_guard.settings.tree import ClassifyRow
from otel_guard.store.lane import Lane
from tests.integration.instrumentation.capturing import Capturing
from tests.integration.instrumentation.test_sqlalchemy_versions import installed
from tests.unit.instrumentation.conftest import MakeWorld, World

SECRET = "hunter" + "2-jane@example.org"
WRONG: list[tuple[str, str, str, str]] = [
    (f"SELECT * FROM no_such_table WHERE a = '{SECRET}'", "42P01", "client", "high"),
    (f"SELECT CAST('{SECRET}' AS integer)", "22P02", "client", "high"),
    (f"DO $$ BEGIN RAISE EXCEPTION '{SECRET}' USING ERRCODE = '23505'; END $$", "23505", "constraint", "low"),
    ("SET statement_timeout = 1; SELECT pg_sleep(5)", "57014", "timeout", "medium"),
    ("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$", "40P01", "contention", "medium"),
    ("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '53300'; END $$", "53300", "quota", "critical"),
    ("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '42501'; END $$", "42501", "auth", "critical"),
]
CONNECTIONS: tuple[Any, ...] = (psycopg.Connection, psycopg.AsyncConnection)
Run = Callable[[str, str, Any], None]


def at_once(dsn: str, statement: Any, parameters: Any = None) -> None:
    with psycopg.connect(dsn) as database:
        database.execute(statement, parameters)


def by_class(dsn: str, statement: Any, parameters: Any = None) -> None:
    with psycopg.Connection.connect(dsn) as database, database.cursor() as cursor:
        cursor.execute(statement, parameters)


def awaited(dsn: str, statement: Any, parameters: Any = None) -> None:
    async def run() -> None:
        async with await psycopg.AsyncConnection.connect(dsn) as database:
            await database.execute(statement, parameters)

    asyncio.run(run())


def closed_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@pytest.fixture
def watched(dsn: str, world: World) -> World:
    assert dsn  # made before, by psycopg
    world.engine.install(PSYCOPG)
    assert [status.status for status in world.engine.status()] == ["watched"]
    return world


@pytest.fixture
def capturing(dsn: str, make_world: MakeWorld) -> Capturing:
    assert dsn  # made before, by psycopg
    return Capturing(make_world, PSYCOPG)


@pytest.mark.parametrize("run", [at_once, by_class, awaited])
def test_a_statement_is_one_span_without_a_value(watched: World, dsn: str, run: Run) -> None:
    with watched.provider.get_tracer("test").start_as_current_span("request") as request:
        run(dsn, f"SELECT relname FROM pg_class WHERE relname = '{SECRET}' AND oid = %s", (918273645,))

    span, _ = watched.spans()
    where = psycopg.conninfo.conninfo_to_dict(dsn)
    assert (span.name, span.kind, span.status.status_code) == ("SELECT pg_class", SpanKind.CLIENT, StatusCode.UNSET)
    assert span.parent is not None
    assert span.parent.span_id == request.get_span_context().span_id
    attributes = dict(span.attributes or {})
    assert attributes[semconv.DB_QUERY_TEXT] == "SELECT relname FROM pg_class WHERE relname = ? AND oid = %s"
    assert attributes.get(semconv.DB_STATEMENT) in {None, attributes[semconv.DB_QUERY_TEXT]}
    assert (attributes[semconv.SERVER_ADDRESS], attributes[semconv.SERVER_PORT]) == (
        "127.0.0.1",
        int(str(where["port"])),
    )
    assert attributes[semconv.DB_NAMESPACE] == where["dbname"]
    assert semconv.DB_USER not in attributes
    assert attributes[semconv.DB_SYSTEM_NAME] == "postgresql"
    assert attributes[semconv.DB_QUERY_SUMMARY] == "SELECT pg_class"
    assert attributes[semconv.DB_OPERATION_NAME] == "SELECT"
    assert attributes[semconv.GUARD_CONTEXT] == "database"
    assert SECRET not in span.to_json()
    assert "918273645" not in span.to_json()
    assert watched.handed == []


def test_a_composed_statement_shows_no_literal(watched: World, dsn: str) -> None:
    with psycopg.connect(dsn) as database:
        database.execute(SQL("SELECT relname FROM pg_class WHERE relname = {}").format(Literal(SECRET)))
        database.execute(f"SELECT'{SECRET}'".encode())
        database.cursor().executemany("SELECT %s", [(SECRET,), ("b",)])

    assert [span.name for span in watched.spans()] == ["SELECT pg_class", "SELECT", "SELECT"]
    assert SECRET not in "".join(span.to_json() for span in watched.spans())


@pytest.mark.parametrize("statement", ["", "/* ping */", "  "])
def test_a_statement_without_words_works_as_before(watched: World, dsn: str, statement: str) -> None:
    at_once(dsn, statement)

    assert watched.span().name == "SQL"


@pytest.mark.parametrize("run", [at_once, awaited])
@pytest.mark.parametrize(("statement", "code", "error_class", "severity"), WRONG)
def test_an_error_is_one_record_by_its_sqlstate(
    capturing: Capturing, dsn: str, run: Run, statement: str, code: str, error_class: str, severity: str
) -> None:
    with pytest.raises(psycopg.Error):
        run(dsn, statement, None)

    span = capturing.world.span()
    attributes = dict(span.attributes or {})
    assert (attributes[semconv.ERROR_TYPE], attributes[semconv.DB_RESPONSE_STATUS_CODE]) == (code, code)
    assert (span.status.status_code, span.status.description, span.events) == (StatusCode.ERROR, code, ())
    assert capturing.graded() == ("database", "postgresql", error_class, severity)
    assert SECRET not in capturing.everything()


def test_a_cancelled_query_is_cancelled_and_no_record(capturing: Capturing, dsn: str) -> None:
    async def run() -> None:
        async with await psycopg.AsyncConnection.connect(dsn) as database:
            with suppress(TimeoutError):
                await asyncio.wait_for(database.execute("SELECT pg_sleep(10)"), 0.2)

    asyncio.run(run())

    span = capturing.world.span()
    assert span.status.status_code is StatusCode.UNSET
    assert (span.attributes or {})[semconv.GUARD_OUTCOME] == "cancelled"
    assert capturing.records() == []


@pytest.mark.parametrize(
    "connect",
    [
        lambda address: psycopg.connect(address, autocommit=True),
        lambda address: psycopg.Connection.connect(conninfo=address, connect_timeout=3),
        lambda address: asyncio.run(psycopg.AsyncConnection.connect(address)),
    ],
)
def test_a_refused_connect_is_one_record(capturing: Capturing, connect: Callable[[str], Any]) -> None:
    port = closed_port()

    with pytest.raises(psycopg.OperationalError):
        connect(f"postgresql://jane:{'pass' + 'word'}@127.0.0.1:{port}/shop")

    span = capturing.world.span()
    assert (span.name, span.kind, span.status.description) == ("connect", SpanKind.CLIENT, "OperationalError")
    attributes = dict(span.attributes or {})
    assert (attributes[semconv.SERVER_ADDRESS], attributes[semconv.SERVER_PORT]) == ("127.0.0.1", port)
    assert attributes[semconv.DB_NAMESPACE] == "shop"
    assert capturing.graded() == ("database", "postgresql", "connection", "high")
    assert "jane" not in span.to_json()


def test_a_missing_database_is_config_and_a_missing_role_is_auth(capturing: Capturing, dsn: str) -> None:
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(dsn, dbname="no_such_database")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(dsn, user="no_such_role")

    assert [record.error_class for record in capturing.records()] == ["config", "auth"]


def test_a_pool_that_gives_no_connection_is_one_record(
    capturing: Capturing, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(installed("psycopg_pool", "--no-deps", "psycopg-pool==3.3.0"))
    psycopg_pool = importlib.import_module("psycopg_pool")

    with (
        psycopg_pool.ConnectionPool(dsn, min_size=1, max_size=1) as pool,
        pool.connection(),
        pytest.raises(psycopg_pool.PoolTimeout),
    ):
        pool.getconn(timeout=0.05)

    assert capturing.graded() == ("database", "postgresql", "quota", "critical")
    assert capturing.world.span().name == "connect"


@pytest.mark.parametrize("driver", ["psycopg", "psycopg_async"])
def test_below_sqlalchemy_there_is_no_second_span(dsn: str, make_world: MakeWorld, driver: str) -> None:
    capturing = Capturing(make_world, PSYCOPG, SQLALCHEMY)
    url = f"postgresql+{driver}://" + dsn.partition("://")[2]
    statement = sa.text("SELECT * FROM no_such_table")
    if driver == "psycopg":
        engine = sa.create_engine(url, pool_pre_ping=True)
        with engine.connect() as database, pytest.raises(sa.exc.ProgrammingError):
            database.execute(statement)
        engine.dispose()
    else:

        async def run() -> None:
            from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - needs greenlet

            made = create_async_engine(url, pool_pre_ping=True)
            async with made.connect() as database:
                with pytest.raises(sa.exc.ProgrammingError):
                    await database.execute(statement)
            await made.dispose()

        asyncio.run(run())

    assert [span.name for span in capturing.spans()] == ["SELECT no_such_table"]
    assert capturing.record().error_class == "client"


def test_the_guards_own_connection_is_the_drivers_own(watched: World, dsn: str) -> None:
    with sending(), psycopg.connect(dsn) as database:
        assert type(database.cursor()) is psycopg.Cursor
        database.execute("SELECT 1")
    with sending(), closing(Lane(dsn, SYSTEM)) as lane, lane.transaction() as store:
        store.execute("SELECT 1")

    assert watched.spans() == []


def test_without_a_recording_span_there_is_a_record_all_the_same(dsn: str, make_world: MakeWorld) -> None:
    world = make_world(tracer=trace.NoOpTracer(), tracer_provider=trace.NoOpTracerProvider())
    world.engine.install(PSYCOPG)

    with pytest.raises(psycopg.errors.UndefinedTable):
        at_once(dsn, f"SELECT * FROM no_such_table WHERE a = '{SECRET}'")

    ((_, _, outcome, facts),) = world.handed
    assert (facts.name, outcome.error_type) == ("SELECT no_such_table", "42P01")
    assert SECRET not in str(facts)


def test_an_instrumentor_of_the_applications_own_is_left(dsn: str, world: World) -> None:
    theirs, connects = PsycopgInstrumentor(), [vars(kind)["connect"] for kind in CONNECTIONS]
    theirs.instrument(tracer_provider=world.provider)
    try:
        world.engine.install(PSYCOPG)
        at_once(dsn, "SELECT 1 FROM pg_class")
    finally:
        world.engine.uninstrument()
        theirs.uninstrument()
        for kind, connect in zip(CONNECTIONS, connects, strict=True):
            kind.connect = connect  # contrib puts back a bound method

    assert [span.name for span in world.spans()] == ["SELECT"]


def test_what_is_wrapped_is_put_back_and_open_connections_fall_silent(watched: World, dsn: str) -> None:
    with psycopg.connect(dsn) as database:
        database.execute("SELECT 1")
        watched.engine.uninstrument()
        database.execute("SELECT 2")

    assert len(watched.spans()) == 1
    assert not hasattr(psycopg.connect, "__wrapped__")
    assert type(vars(psycopg.Connection)["connect"]) is classmethod


def test_what_is_ignored_below_makes_no_row_above(capturing: Capturing, dsn: str) -> None:
    row = ClassifyRow(exception="psycopg.errors.UndefinedTable", severity="ignore")
    capturing.capture.pipeline._rows = (row,)
    tracer = capturing.world.provider.get_tracer("test")

    with (
        pytest.raises(psycopg.errors.UndefinedTable),
        tracer.start_as_current_span("request", kind=SpanKind.SERVER),
        tracer.start_as_current_span("step"),
    ):
        at_once(dsn, "SELECT * FROM no_such_table")

    assert [span.name for span in capturing.spans()] == ["SELECT no_such_table", "step", "request"]
    assert capturing.records() == []


def test_an_error_that_leaves_the_request_is_one_row_all_the_same(capturing: Capturing, dsn: str) -> None:
    tracer = capturing.world.provider.get_tracer("test")

    with (
        pytest.raises(psycopg.errors.UndefinedTable),
        tracer.start_as_current_span("request", kind=SpanKind.SERVER),
    ):
        at_once(dsn, "SELECT * FROM no_such_table")

    assert capturing.graded() == ("database", "postgresql", "client", "high")
    assert [amendment.handled for amendment in capturing.amendments()] == [False]
