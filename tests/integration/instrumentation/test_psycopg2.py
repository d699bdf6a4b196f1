from typing import Any

import psycopg2  # type: ignore[import-untyped]
import psycopg2.extras  # type: ignore[import-untyped]
import pytest
import sqlalchemy as sa
from opentelemetry.instrumentation.psycopg2 import Psycopg2Instrumentor
from opentelemetry.trace import SpanKind, StatusCode
from psycopg2.sql import SQL, Literal  # type: ignore[import-untyped]

from otel_guard.core import semconv
from otel_guard.instrumentation.psycopg2 import PSYCOPG2
from otel_guard.instrumentation.sqlalchemy import SQLALCHEMY
from otel_guard.runtime.suppression import sending
from tests.integration.instrumentation.capturing import Capturing
from tests.integration.instrumentation.test_psycopg import SECRET, WRONG, closed_port
from tests.unit.instrumentation.conftest import MakeWorld, World

CONNECTIONS: list[Any] = [
    None,
    psycopg2.extras.DictConnection,
    psycopg2.extras.RealDictConnection,
    psycopg2.extras.NamedTupleConnection,
]
CURSORS: list[Any] = [psycopg2.extras.DictCursor, psycopg2.extras.RealDictCursor, psycopg2.extras.NamedTupleCursor]


def run(dsn: str, statement: Any, parameters: Any = None) -> None:
    database = psycopg2.connect(dsn)
    try:
        with database.cursor() as cursor:
            cursor.execute(statement, parameters)
    finally:
        database.close()


@pytest.fixture
def watched(world: World) -> World:
    world.engine.install(PSYCOPG2)
    assert [status.status for status in world.engine.status()] == ["watched"]
    return world


@pytest.fixture
def capturing(make_world: MakeWorld) -> Capturing:
    return Capturing(make_world, PSYCOPG2)


def test_a_statement_is_one_span_without_a_value(watched: World, dsn: str) -> None:
    with watched.provider.get_tracer("test").start_as_current_span("request") as request:
        run(dsn, f"SELECT relname FROM pg_class WHERE relname = '{SECRET}' AND oid = %s", (918273645,))

    span, _ = watched.spans()
    where = psycopg2.extensions.parse_dsn(dsn)
    assert (span.name, span.kind, span.status.status_code) == ("SELECT pg_class", SpanKind.CLIENT, StatusCode.UNSET)
    assert span.parent is not None
    assert span.parent.span_id == request.get_span_context().span_id
    attributes = dict(span.attributes or {})
    assert attributes[semconv.DB_SYSTEM_NAME] == "postgresql"
    assert attributes[semconv.DB_NAMESPACE] == where["dbname"]
    assert attributes[semconv.DB_QUERY_TEXT] == "SELECT relname FROM pg_class WHERE relname = ? AND oid = %s"
    assert (attributes[semconv.SERVER_ADDRESS], attributes[semconv.SERVER_PORT]) == (where["host"], int(where["port"]))
    assert SECRET not in span.to_json()
    assert "918273645" not in span.to_json()


@pytest.mark.parametrize(
    "statement",
    [
        SQL("SELECT relname FROM pg_class WHERE relname = {}").format(Literal(SECRET)),
        f"SELECT relname FROM pg_class WHERE relname = '{SECRET}'".encode(),
        SQL(f"SELECT 1 FROM pg_class WHERE relname = '{SECRET}'"),
    ],
)
def test_every_form_of_statement_is_named_and_shows_no_literal(watched: World, dsn: str, statement: Any) -> None:
    run(dsn, statement)

    assert watched.span().name == "SELECT pg_class"
    assert SECRET not in watched.span().to_json()


@pytest.mark.parametrize("factory", CONNECTIONS)
def test_a_connection_of_another_class_keeps_its_cursors(watched: World, dsn: str, factory: Any) -> None:
    plain = psycopg2.connect.__wrapped__.__wrapped__(dsn, connection_factory=factory)
    database = psycopg2.connect(dsn, connection_factory=factory)
    rows = []
    for one in (plain, database):
        cursor = one.cursor()
        cursor.execute("SELECT relname FROM pg_class ORDER BY oid LIMIT 1")
        rows.append(cursor.fetchone())
        one.close()

    assert rows[0] == rows[1]
    assert type(rows[0]).__name__ == type(rows[1]).__name__
    assert isinstance(database, factory or psycopg2.extensions.connection)
    assert watched.span().name == "SELECT pg_class"


@pytest.mark.parametrize("factory", CURSORS)
def test_a_cursor_of_another_class_is_watched(watched: World, dsn: str, factory: Any) -> None:
    database = psycopg2.connect(dsn, cursor_factory=factory)
    with database, database.cursor() as first, database.cursor(cursor_factory=factory) as second:
        for cursor in (first, second, database.cursor("named", factory)):
            cursor.execute("SELECT relname FROM pg_class LIMIT 1")
            assert cursor.fetchone()[0 if factory is not psycopg2.extras.RealDictCursor else "relname"]
            assert isinstance(cursor, factory)
    database.close()

    assert [span.name for span in watched.spans()] == ["SELECT pg_class"] * 3


@pytest.mark.parametrize(("statement", "code", "error_class", "severity"), WRONG)
def test_an_error_is_one_record_by_its_sqlstate(
    capturing: Capturing, dsn: str, statement: str, code: str, error_class: str, severity: str
) -> None:
    with pytest.raises(psycopg2.Error):
        run(dsn, statement)

    span = capturing.world.span()
    attributes = dict(span.attributes or {})
    assert (attributes[semconv.ERROR_TYPE], attributes[semconv.DB_RESPONSE_STATUS_CODE]) == (code, code)
    assert (span.status.status_code, span.status.description, span.events) == (StatusCode.ERROR, code, ())
    assert capturing.graded() == ("database", "postgresql", error_class, severity)
    assert SECRET not in capturing.everything()


def test_a_refused_connect_is_one_record(capturing: Capturing) -> None:
    port = closed_port()

    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(host="127.0.0.1", port=port, user="jane", password="pass" + "word", database="shop")

    span = capturing.world.span()
    assert (span.name, span.kind, span.status.description) == ("connect", SpanKind.CLIENT, "OperationalError")
    attributes = dict(span.attributes or {})
    assert (attributes[semconv.SERVER_ADDRESS], attributes[semconv.SERVER_PORT]) == ("127.0.0.1", port)
    assert attributes[semconv.DB_NAMESPACE] == "shop"
    assert capturing.graded() == ("database", "postgresql", "connection", "high")
    assert "jane" not in span.to_json()


def test_a_missing_database_is_config(capturing: Capturing, dsn: str) -> None:
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(dsn, dbname="no_such_database")

    assert capturing.graded() == ("database", "postgresql", "config", "high")


def test_below_sqlalchemy_there_is_no_second_span(make_world: MakeWorld, dsn: str) -> None:
    capturing = Capturing(make_world, PSYCOPG2, SQLALCHEMY)
    engine = sa.create_engine("postgresql+psycopg2://" + dsn.partition("://")[2], pool_pre_ping=True)
    with engine.connect() as database, pytest.raises(sa.exc.ProgrammingError):
        database.execute(sa.text("SELECT * FROM no_such_table"))
    engine.dispose()

    assert [span.name for span in capturing.spans()] == ["SELECT no_such_table"]
    assert capturing.record().error_class == "client"


def test_the_guards_own_connection_is_the_drivers_own(watched: World, dsn: str) -> None:
    with sending():
        database = psycopg2.connect(dsn)
        assert type(database) is psycopg2.extensions.connection
        database.cursor().execute("SELECT 1")
        database.close()

    assert watched.spans() == []


def test_a_replication_connects_as_before(watched: World, dsn: str) -> None:
    # Not allowed in this cluster, or it is: either way it is the driver's answer.
    kind = psycopg2.extras.LogicalReplicationConnection
    try:
        database = psycopg2.connect(dsn, connection_factory=kind)
    except psycopg2.OperationalError:
        assert len(watched.handed) == 1
    else:
        assert type(database) is kind
        database.close()


def test_an_instrumentor_of_the_applications_own_is_left(world: World, dsn: str) -> None:
    theirs = Psycopg2Instrumentor()
    theirs.instrument(tracer_provider=world.provider)
    try:
        world.engine.install(PSYCOPG2)
        run(dsn, "SELECT 1 FROM pg_class")
    finally:
        world.engine.uninstrument()
        theirs.uninstrument()

    assert [span.name for span in world.spans()] == ["SELECT"]


def test_what_is_wrapped_is_put_back_and_open_connections_fall_silent(watched: World, dsn: str) -> None:
    database = psycopg2.connect(dsn)
    cursor = database.cursor()
    cursor.execute("SELECT 1")
    watched.engine.uninstrument()
    cursor.execute("SELECT 2")
    database.close()

    assert len(watched.spans()) == 1
    assert not hasattr(psycopg2.connect, "__wrapped__")
