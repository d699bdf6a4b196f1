"""Run by test_sqlalchemy_14.py, with SQLAlchemy 1.4 first on the path."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy
from opentelemetry.instrumentation.sqlalchemy.engine import EngineTracer
from opentelemetry.metrics import NoOpMeter
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import QueuePool

from otel_guard.core import semconv
from otel_guard.instrumentation.asyncpg import ASYNCPG
from otel_guard.instrumentation.psycopg2 import PSYCOPG2
from otel_guard.instrumentation.sqlalchemy import SQLALCHEMY
from otel_guard.instrumentation.sqlite3 import SQLITE3
from tests.integration.instrumentation.capturing import Capturing
from tests.integration.instrumentation.test_psycopg import SECRET, closed_port
from tests.unit.instrumentation.conftest import MakeWorld

sa: Any = sqlalchemy  # what is checked here is not what is installed
pytestmark = pytest.mark.filterwarnings("ignore:Deprecated API features")


@pytest.fixture
def capturing(make_world: MakeWorld) -> Capturing:
    return Capturing(make_world, PSYCOPG2, ASYNCPG, SQLITE3, SQLALCHEMY)


@pytest.fixture
def address(dsn: str) -> str:
    return dsn.partition("://")[2]


@pytest.fixture(params=[False, True], ids=["legacy", "future"])
def engine(request: pytest.FixtureRequest, address: str) -> Iterator[Any]:
    made = sa.create_engine(f"postgresql+psycopg2://{address}", future=request.param, pool_pre_ping=True)
    yield made
    made.dispose()


def names(capturing: Capturing) -> list[str]:
    return [span.name for span in capturing.spans()]


def test_it_is_watched(capturing: Capturing) -> None:
    assert sa.__version__.startswith("1.4.")
    assert {one.name: one.status for one in capturing.world.engine.status()}["sqlalchemy"] == "watched"


def test_a_statement_is_one_span_and_the_driver_is_silent(capturing: Capturing, engine: Any) -> None:
    for _ in range(2):  # the second time a connection of the pool is pinged
        with engine.connect() as database:
            database.execute(sa.text(f"SELECT 1 FROM pg_class WHERE relname = '{SECRET}'"))

    assert names(capturing) == ["SELECT pg_class"] * 2
    attributes = dict(capturing.spans()[0].attributes or {})
    assert attributes[semconv.DB_QUERY_TEXT] == "SELECT ? FROM pg_class WHERE relname = ?"
    assert attributes[semconv.DB_NAMESPACE] == engine.url.database
    assert SECRET not in capturing.everything()


def test_an_error_is_one_record_by_its_sqlstate(capturing: Capturing, engine: Any) -> None:
    with engine.connect() as database, pytest.raises(sa.exc.ProgrammingError):
        database.execute(sa.text(f"SELECT * FROM no_such_table WHERE a = '{SECRET}'"))

    assert names(capturing) == ["SELECT no_such_table"]
    assert capturing.attributes()[semconv.DB_RESPONSE_STATUS_CODE] == "42P01"
    assert capturing.graded() == ("database", "postgresql", "client", "high")
    assert SECRET not in capturing.everything()


def test_many_rows_are_one_span_with_their_number(capturing: Capturing, engine: Any) -> None:
    table = sa.Table("things", sa.MetaData(), sa.Column("name", sa.Text))
    with engine.begin() as database:
        database.execute(sa.text("CREATE TEMP TABLE things (name text)"))
        database.execute(table.insert(), [{"name": SECRET}, {"name": "b"}])

    assert names(capturing) == ["CREATE TABLE things", "INSERT things"]
    assert (capturing.spans()[1].attributes or {})[semconv.DB_OPERATION_BATCH_SIZE] == 2
    assert SECRET not in capturing.everything()


def write_twice(engine: Any) -> None:
    with engine.begin() as database:
        database.execute(sa.text("CREATE TEMP TABLE late (a text UNIQUE DEFERRABLE INITIALLY DEFERRED)"))
        for _ in range(2):
            database.execute(sa.text("INSERT INTO late VALUES (:a)"), {"a": SECRET})


def test_a_commit_that_fails_is_one_record(capturing: Capturing, engine: Any) -> None:
    with pytest.raises(sa.exc.IntegrityError):
        write_twice(engine)

    assert names(capturing)[-1] == "COMMIT"
    assert capturing.graded() == ("database", "postgresql", "constraint", "low")


def test_an_engine_that_executes_by_itself_is_watched(capturing: Capturing) -> None:
    engine = sa.create_engine("sqlite://")
    engine.execute("SELECT 1")
    engine.dispose()

    assert names(capturing) == ["SELECT"]


def test_an_engine_and_a_connection_made_earlier_are_watched(make_world: MakeWorld) -> None:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as database:
        database.execute(sa.text("SELECT 1"))
        capturing = Capturing(make_world, SQLITE3, SQLALCHEMY)
        database.execute(sa.text("SELECT 2"))
        with engine.connect() as later:
            later.execute(sa.text("SELECT 3"))
        capturing.world.engine.uninstrument()
        database.execute(sa.text("SELECT 4"))
    engine.dispose()

    assert names(capturing) == ["SELECT", "SELECT"]


def test_an_orm_session_is_watched(capturing: Capturing, engine: Any) -> None:
    with sa.orm.Session(engine) as session:
        session.execute(sa.text("SELECT 1 FROM pg_class"))

    assert names(capturing) == ["SELECT pg_class"]


def test_a_refused_connect_is_one_record(capturing: Capturing) -> None:
    engine = sa.create_engine(f"postgresql+psycopg2://jane@127.0.0.1:{closed_port()}/shop")
    with pytest.raises(sa.exc.OperationalError):
        engine.connect()

    assert names(capturing) == ["connect"]
    assert capturing.graded() == ("database", "postgresql", "connection", "high")


def test_a_pool_time_out_is_one_record(capturing: Capturing) -> None:
    engine = sa.create_engine("sqlite://", poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.01)
    with engine.connect(), pytest.raises(sa.exc.TimeoutError):
        engine.connect()
    engine.dispose()

    assert capturing.graded() == ("database", "sqlite", "quota", "critical")


def test_an_asynchronous_engine_is_watched(capturing: Capturing, address: str) -> None:
    async def run() -> None:
        engine = create_async_engine(f"postgresql+asyncpg://{address}", pool_pre_ping=True)
        for _ in range(2):
            async with engine.connect() as database:
                await database.execute(sa.text("SELECT 1 FROM pg_class"))
        async with engine.connect() as database:
            with pytest.raises(sa.exc.ProgrammingError):
                await database.execute(sa.text("SELECT * FROM no_such_table"))
        await engine.dispose()

    asyncio.run(run())

    assert names(capturing) == ["SELECT pg_class", "SELECT pg_class", "SELECT no_such_table"]
    assert capturing.attributes()[semconv.DB_RESPONSE_STATUS_CODE] == "42P01"


def test_an_engine_that_the_application_instrumented_is_left_alone(capturing: Capturing) -> None:
    engine, meter = sa.create_engine("sqlite://"), NoOpMeter("test")
    theirs = capturing.world.provider.get_tracer("theirs")
    counter, histogram = meter.create_up_down_counter("connections"), meter.create_histogram("duration")
    EngineTracer(theirs, engine, counter, histogram)  # type: ignore[no-untyped-call]
    with engine.connect() as database:
        database.execute(sa.text("SELECT 1"))
    engine.dispose()

    scopes = [span.instrumentation_scope.name for span in capturing.spans() if span.instrumentation_scope]
    assert scopes == ["theirs"]
