import asyncio
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from typing import Any, Self

import pytest
import sqlalchemy as sa
from opentelemetry.instrumentation.sqlalchemy.engine import EngineTracer
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.metrics import NoOpMeter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from sqlalchemy.pool import QueuePool

from otel_guard.core.outcome import Outcome
from otel_guard.instrumentation._engine import Engine
from otel_guard.instrumentation.sqlalchemy import SQLALCHEMY
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.runtime.suppression import sending

SECRET = "hunter" + "2-jane@example.org"
needs_greenlet = pytest.mark.skipif(find_spec("greenlet") is None, reason="greenlet is not installed: no async")


class Guard:
    """A real engine of instrumentations with what it made."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("test")
        self.reader = InMemoryMetricReader()
        self.handed: list[tuple[BaseException | None, Outcome]] = []
        self.engine = Engine(
            self.tracer,
            MeterProvider([self.reader]).get_meter("test"),
            Failsafe(strict=True),
            handover=lambda span, exc, outcome, _facts: self.handed.append((exc, outcome)) if span else None,
        )

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    def names(self) -> list[str]:
        return [span.name for span in self.spans]

    def shown(self) -> str:
        """Everything that leaves the process."""
        return "".join(span.to_json() for span in self.spans) + str(self.reader.get_metrics_data())


@pytest.fixture
def guard() -> Iterator[Guard]:
    guard = Guard()
    guard.engine.install(SQLALCHEMY)
    assert [status.status for status in guard.engine.status()] == ["watched"]
    yield guard
    guard.engine.uninstrument()


_made: list[sa.Engine] = []


def create_engine(url: str, **options: Any) -> sa.Engine:
    """SQLAlchemy's, disposed of after the test: an open sqlite3 connection is a warning from Python 3.13 on."""
    _made.append(sa.create_engine(url, **options))
    return _made[-1]


@pytest.fixture(autouse=True)
def _disposed() -> Iterator[None]:
    yield
    while _made:
        _made.pop().dispose()


Urls = Callable[[str], str]


@pytest.fixture
def url(dsn: str) -> Urls:
    return lambda driver: f"postgresql+{driver}://" + dsn.partition("://")[2]


def closed_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def test_a_statement_is_one_span_below_its_parent(guard: Guard, url: Urls) -> None:
    engine = create_engine(url("psycopg"))
    with guard.tracer.start_as_current_span("request") as request, engine.connect() as database:
        database.execute(
            sa.text(f"SELECT relname FROM pg_class WHERE relname = '{SECRET}' AND oid = :oid"), {"oid": 918273645}
        )
        after = guard.tracer.start_span("next")
        after.end()
    engine.dispose()

    assert guard.names() == ["SELECT pg_class", "next", "request"]
    span = guard.spans[0]
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is StatusCode.UNSET
    assert {span.parent and span.parent.span_id for span in guard.spans[:2]} == {request.get_span_context().span_id}
    assert dict(span.attributes or {}) == {
        "db.system.name": "postgresql",
        "db.namespace": engine.url.database,
        "server.address": "127.0.0.1",
        "server.port": engine.url.port,
        "db.operation.name": "SELECT",
        "db.query.summary": "SELECT pg_class",
        "db.query.text": "SELECT relname FROM pg_class WHERE relname = ? AND oid = %(oid)s",
        "otel_guard.context": "database",
    }
    assert SECRET not in guard.shown()
    assert "918273645" not in guard.shown()
    assert "db.client.operation.duration" in guard.shown()
    assert guard.handed == []


@pytest.mark.parametrize(
    ("statement", "code", "error_class"),
    [
        (f"SELECT * FROM no_such_table WHERE a = '{SECRET}'", "42P01", "client"),
        (f"SELECT CAST('{SECRET}' AS integer)", "22P02", "client"),
        (f"DO $$ BEGIN RAISE EXCEPTION '{SECRET}' USING ERRCODE = '23505'; END $$", "23505", "constraint"),
    ],
)
def test_an_error_is_handed_over_once_without_a_literal(
    guard: Guard, url: Urls, statement: str, code: str, error_class: str
) -> None:
    engine = create_engine(url("psycopg"))
    with engine.connect() as database, pytest.raises(sa.exc.DBAPIError) as raised:
        database.exec_driver_sql(statement)
    engine.dispose()

    [span] = guard.spans
    attributes = span.attributes or {}
    assert (attributes["error.type"], attributes["db.response.status_code"]) == (code, code)
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, code)
    assert SECRET not in guard.shown()
    [(exc, outcome)] = guard.handed
    assert exc is raised.value.orig
    assert (outcome.kind, outcome.error_type, outcome.error_class) == ("failed", code, error_class)


def test_the_context_is_clean_after_success_and_failure(guard: Guard) -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as database:
        for statement in ("SELECT 1", "SELECT * FROM nowhere"):
            with suppress(sa.exc.OperationalError):
                database.exec_driver_sql(statement)

            assert is_instrumentation_enabled()

    assert guard.names() == ["SELECT", "SELECT nowhere"]
    assert (guard.spans[1].attributes or {})["error.type"] == "SQLITE_ERROR"


def test_drivers_are_silent_in_every_call_that_sqlalchemy_makes(guard: Guard) -> None:
    enabled: dict[str, bool] = {}

    def seen(place: str) -> None:
        enabled[place] = is_instrumentation_enabled()

    class Cursor(sqlite3.Cursor):
        def execute(self, *args: Any) -> Self:
            seen("execute")
            return super().execute(*args)

        def executemany(self, *args: Any) -> Self:
            seen("executemany")
            return super().executemany(*args)

    class Driver(sqlite3.Connection):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            seen("connect")
            super().__init__(*args, **kwargs)

        def cursor(self, *_: Any) -> Cursor:  # type: ignore[override]
            return super().cursor(Cursor)

        def commit(self) -> None:
            seen("commit")
            super().commit()

        def rollback(self) -> None:
            seen("rollback")
            super().rollback()

    engine = create_engine("sqlite://", connect_args={"factory": Driver})
    with engine.connect() as database:
        database.execute(sa.text("CREATE TABLE t (a integer)"))
        database.execute(sa.text("INSERT INTO t (a) VALUES (:a)"), [{"a": 1}, {"a": 2}])
        database.commit()
        database.exec_driver_sql("SELECT 1")
        database.rollback()
        assert is_instrumentation_enabled()

    assert enabled == dict.fromkeys(("connect", "execute", "executemany", "commit", "rollback"), False)
    assert guard.names() == ["CREATE TABLE t", "INSERT t", "SELECT"]


def test_a_listener_that_raises_leaves_nothing_behind(guard: Guard) -> None:
    engine = create_engine("sqlite://")

    @sa.event.listens_for(engine, "before_cursor_execute")
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    with engine.connect() as database, pytest.raises(ZeroDivisionError):
        database.exec_driver_sql("SELECT 1")

    assert is_instrumentation_enabled()
    assert guard.names() == []


def test_a_listener_that_raises_before_the_driver_is_called_is_no_error_of_the_database(guard: Guard) -> None:
    engine = create_engine("sqlite://")

    @sa.event.listens_for(engine, "do_execute_no_params")
    @sa.event.listens_for(engine, "do_execute")
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    with engine.connect() as database, pytest.raises(ZeroDivisionError):
        database.exec_driver_sql("SELECT 1")

    assert is_instrumentation_enabled()
    assert guard.names() == []
    assert guard.handed == []


def test_an_error_of_which_sqlalchemy_tells_nobody_leaves_nothing_behind(guard: Guard) -> None:
    engine = create_engine("sqlite://")

    @sa.event.listens_for(engine, "handle_error")
    def explain(told: Any) -> None:
        with suppress(sa.exc.OperationalError):
            told.connection.exec_driver_sql("SELECT * FROM nowhere_either")

    with engine.connect() as database, pytest.raises(sa.exc.OperationalError):
        database.exec_driver_sql("SELECT * FROM nowhere")

    assert is_instrumentation_enabled()
    assert sorted(guard.names()) == ["SELECT nowhere", "SELECT nowhere_either"]
    assert len(guard.handed) == 2


def test_a_statement_of_a_listener_is_its_own_span(guard: Guard) -> None:
    engine = create_engine("sqlite://")

    @sa.event.listens_for(engine, "after_cursor_execute")
    def audit(conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "main" in statement:
            conn.exec_driver_sql("SELECT 1 FROM (SELECT 2) AS audit")

    with engine.connect() as database:
        database.exec_driver_sql("SELECT * FROM main.sqlite_master")

    assert len(guard.names()) == 2
    assert is_instrumentation_enabled()


def test_a_commit_that_fails_is_handed_over_once(guard: Guard, url: Urls) -> None:
    engine = create_engine(url("psycopg"))
    with guard.tracer.start_as_current_span("request"), engine.connect() as database:
        database.exec_driver_sql("CREATE TEMP TABLE late (a text UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        for _ in range(2):
            database.execute(sa.text("INSERT INTO late VALUES (:a)"), {"a": SECRET})
        with pytest.raises(sa.exc.IntegrityError) as raised:
            database.commit()
        assert is_instrumentation_enabled()
    engine.dispose()

    assert guard.names()[-2:] == ["COMMIT", "request"]
    span = guard.spans[-2]
    attributes = dict(span.attributes or {})
    assert (span.kind, span.status.description) == (SpanKind.CLIENT, "23505")
    assert (attributes["db.operation.name"], attributes["db.response.status_code"]) == ("COMMIT", "23505")
    assert attributes["server.address"] == "127.0.0.1"
    assert span.parent is not None
    [(exc, outcome)] = guard.handed
    assert exc is raised.value.orig
    assert (outcome.kind, outcome.error_class) == ("failed", "constraint")
    assert SECRET not in guard.shown()


def test_a_failure_while_rows_are_fetched_is_handed_over_once(guard: Guard, url: Urls) -> None:
    engine = create_engine(url("psycopg"))
    with engine.connect() as database:
        rows = database.execution_options(stream_results=True, max_row_buffer=1).exec_driver_sql(
            "SELECT 1 / (3 - n) FROM generate_series(1, 5) AS n"
        )
        with pytest.raises(sa.exc.DBAPIError):
            rows.fetchall()
    engine.dispose()

    assert [outcome.error_type for _, outcome in guard.handed] == ["22012"]
    assert (guard.spans[-1].attributes or {})["error.type"] == "22012"
    assert is_instrumentation_enabled()


def test_what_is_wrapped_is_put_back(guard: Guard) -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as database:
        database.exec_driver_sql("SELECT 1")
        assert "do_commit" in vars(engine.dialect)
        guard.engine.uninstrument()
        database.exec_driver_sql("SELECT 1")

    assert [name for name in vars(engine.dialect) if name.startswith(("do_", "_otel_guard"))] == []
    assert guard.names() == ["SELECT"]


def test_an_engine_and_a_connection_made_earlier_are_watched() -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as database:
        database.exec_driver_sql("SELECT 1")
        guard = Guard()
        guard.engine.install(SQLALCHEMY)
        database.exec_driver_sql("SELECT 2")
        with engine.connect() as later:
            later.exec_driver_sql("SELECT 3")
        guard.engine.uninstrument()
        database.exec_driver_sql("SELECT 4")

    assert guard.names() == ["SELECT", "SELECT"]


def test_a_pool_time_out_is_handed_over_once(guard: Guard) -> None:
    engine = create_engine("sqlite://", poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.01)
    with engine.connect(), pytest.raises(sa.exc.TimeoutError) as raised:
        engine.connect()

    assert guard.names() == ["connect"]
    [(exc, outcome)] = guard.handed
    assert exc is raised.value
    assert (outcome.error_type, outcome.error_class) == ("TimeoutError", "quota")
    [span] = guard.spans
    assert (span.end_time or 0) - (span.start_time or 0) >= 9_000_000
    assert "db.client.connection.timeouts" in guard.shown()
    assert "db.client.connection.wait_time" in guard.shown()


def test_a_refused_connect_is_handed_over_once(guard: Guard) -> None:
    engine = create_engine(f"postgresql+psycopg://jane:{'pass' + 'word'}@127.0.0.1:{closed_port()}/shop")
    with pytest.raises(sa.exc.OperationalError) as raised:
        engine.connect()

    [(exc, outcome)] = guard.handed
    assert exc is raised.value.orig
    assert (outcome.error_type, outcome.error_class) == ("OperationalError", "connection")
    [span] = guard.spans
    attributes = dict(span.attributes or {})
    assert (span.name, span.kind, span.status.description) == ("connect", SpanKind.CLIENT, "OperationalError")
    assert (attributes["server.address"], attributes["server.port"]) == ("127.0.0.1", engine.url.port)
    assert "jane" not in guard.shown()


def test_the_guards_own_statements_make_no_span(guard: Guard) -> None:
    with sending(), create_engine("sqlite://").connect() as database:
        database.exec_driver_sql("SELECT 1")

    assert guard.spans == []


def test_an_engine_that_the_application_instrumented_is_left_alone(guard: Guard) -> None:
    engine, meter = create_engine("sqlite://"), NoOpMeter("test")
    theirs = guard.provider.get_tracer("theirs")
    counter, histogram = meter.create_up_down_counter("connections"), meter.create_histogram("duration")
    try:
        EngineTracer(theirs, engine, counter, histogram)  # type: ignore[no-untyped-call]
    except TypeError:
        EngineTracer(theirs, engine, counter)  # type: ignore[no-untyped-call]
    with engine.connect() as database:
        database.exec_driver_sql("SELECT 1")

    assert [span.instrumentation_scope and span.instrumentation_scope.name for span in guard.spans] == ["theirs"]


def test_many_rows_are_one_span_with_their_number(guard: Guard) -> None:
    with create_engine("sqlite://").connect() as database:
        database.execute(sa.text("CREATE TABLE t (a integer)"))
        database.execute(sa.text("INSERT INTO t (a) VALUES (:a)"), [{"a": 1}, {"a": 2}, {"a": 3}])

    assert guard.names() == ["CREATE TABLE t", "INSERT t"]
    assert (guard.spans[1].attributes or {})["db.operation.batch.size"] == 3


@needs_greenlet
@pytest.mark.parametrize("driver", ["asyncpg", "psycopg", "aiosqlite"])
def test_async_statements_are_one_span_with_the_right_parent(guard: Guard, url: Urls, driver: str) -> None:
    address = "sqlite+aiosqlite://" if driver == "aiosqlite" else url(driver)

    async def run() -> None:
        async_engine = pytest.importorskip("sqlalchemy.ext.asyncio").create_async_engine(address)
        with guard.tracer.start_as_current_span("request"):
            async with async_engine.connect() as database:
                await database.execute(sa.text("SELECT 1"))
                with pytest.raises(sa.exc.DBAPIError):
                    await database.execute(sa.text(f"SELECT '{SECRET}' FROM nowhere"))
                assert is_instrumentation_enabled()
        await async_engine.dispose()

    asyncio.run(run())

    assert guard.names() == ["SELECT", "SELECT nowhere", "request"]
    request = guard.spans[2]
    assert all(
        span.parent and request.context and span.parent.span_id == request.context.span_id for span in guard.spans[:2]
    )
    assert (guard.spans[1].attributes or {})["error.type"] == ("SQLITE_ERROR" if driver == "aiosqlite" else "42P01")
    assert SECRET not in guard.shown()
    assert len(guard.handed) == 1


@needs_greenlet
@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_a_cancelled_query_is_no_error(guard: Guard, url: Urls, driver: str) -> None:
    async def run() -> None:
        async_engine = pytest.importorskip("sqlalchemy.ext.asyncio").create_async_engine(url(driver))
        async with async_engine.connect() as database:
            await database.execute(sa.text("SELECT 1"))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(database.execute(sa.text("SELECT pg_sleep(30)")), 0.1)
            assert is_instrumentation_enabled()
        await async_engine.dispose()

    asyncio.run(run())

    span = guard.spans[1]
    assert (span.attributes or {})["otel_guard.outcome"] == "cancelled"
    assert span.status.status_code is StatusCode.UNSET
    assert guard.handed == []
