import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from opentelemetry import metrics, trace
from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor
from opentelemetry.trace import SpanKind, StatusCode

from otel_guard.core import semconv
from otel_guard.instrumentation import _libraries
from otel_guard.instrumentation._engine import Engine
from otel_guard.instrumentation.sqlalchemy import SQLALCHEMY
from otel_guard.instrumentation.sqlite3 import SQLITE3
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.runtime.suppression import sending
from tests.integration.instrumentation.capturing import Capturing
from tests.unit.instrumentation.conftest import MakeWorld, World

SECRET = "hunter" + "2-jane@example.org"


@pytest.fixture
def watched(world: World) -> World:
    world.engine.install(SQLITE3)
    assert [status.status for status in world.engine.status()] == ["watched"]
    return world


@pytest.fixture
def capturing(make_world: MakeWorld) -> Capturing:
    return Capturing(make_world, SQLITE3)


@pytest.fixture
def database(watched: World) -> Iterator[sqlite3.Connection]:
    assert watched
    with closing(sqlite3.connect(":memory:")) as made:
        yield made


def test_every_way_to_run_a_statement_is_one_span_without_a_value(watched: World, database: sqlite3.Connection) -> None:
    database.execute("CREATE TABLE users (name text)")
    database.executemany("INSERT INTO users VALUES (?)", [(SECRET,), ("b",)])
    cursor = database.cursor()
    cursor.execute(f"SELECT name FROM users WHERE name = '{SECRET}' AND 918273645 = ?", (918273645,))
    assert cursor.fetchall() == [(SECRET,)]
    database.commit()

    assert [span.name for span in watched.spans()] == ["CREATE TABLE users", "INSERT users", "SELECT users"]
    span = watched.spans()[-1]
    assert (span.kind, span.status.status_code) == (SpanKind.CLIENT, StatusCode.UNSET)
    attributes = dict(span.attributes or {})
    assert attributes[semconv.DB_SYSTEM_NAME] == "sqlite"
    assert attributes[semconv.DB_QUERY_TEXT] == "SELECT name FROM users WHERE name = ? AND ? = ?"
    everything = "".join(one.to_json() for one in watched.spans())
    assert SECRET not in everything
    assert "918273645" not in everything


def test_backup_works_between_connections_watched_or_not(watched: World, database: sqlite3.Connection) -> None:
    database.execute("CREATE TABLE users (name text)")
    with closing(sqlite3.connect(":memory:")) as copy:
        database.backup(copy)
        assert copy.execute("SELECT count(*) FROM users").fetchone() == (0,)
    with sending(), closing(sqlite3.connect(":memory:")) as plain:
        assert type(plain) is sqlite3.Connection
        database.backup(plain)
        plain.backup(database)

    assert len(watched.spans()) == 2


def test_an_applications_own_classes_stay_its_own(watched: World) -> None:
    class Loud(sqlite3.Connection):
        seen: list[str] = []  # noqa: RUF012

        def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
            self.seen.append(sql)
            return super().execute(sql, *args)

    class Rows(sqlite3.Cursor):
        pass

    with closing(sqlite3.connect(":memory:", factory=Loud)) as database:
        database.execute("SELECT 1")
        cursor = database.cursor(Rows)
        cursor.execute("SELECT 2")

    assert (isinstance(database, Loud), isinstance(cursor, Rows)) == (True, True)
    assert Loud.seen == ["SELECT 1"]
    assert len(watched.spans()) == 2


def test_a_cursor_without_arguments_of_its_own_works_as_before(watched: World) -> None:
    class Bare(sqlite3.Connection):
        def cursor(self) -> sqlite3.Cursor:  # type: ignore[override]
            return super().cursor()

    with closing(sqlite3.connect(":memory:", factory=Bare)) as database:
        assert database.cursor().execute("SELECT 1").fetchone() == (1,)

    assert watched.handed == []


@pytest.mark.parametrize("statement", ["", "-- nothing", "/* ping */"])
def test_a_statement_without_words_works_as_before(
    watched: World, database: sqlite3.Connection, statement: str
) -> None:
    database.execute(statement)

    assert watched.span().name == "SQL"


@pytest.mark.parametrize(
    ("statement", "code", "error_class", "severity"),
    [
        (f"SELECT '{SECRET}' FROM nowhere", "SQLITE_ERROR", "client", "high"),
        (f"INSERT INTO users VALUES ('{SECRET}')", "SQLITE_CONSTRAINT_UNIQUE", "constraint", "medium"),
        ("PRAGMA query_only = 1; ", "", "", ""),
    ],
)
def test_an_error_is_one_record_by_sqlites_name(
    capturing: Capturing, statement: str, code: str, error_class: str, severity: str
) -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE users (name text UNIQUE)")
        database.execute("INSERT INTO users VALUES (?)", (SECRET,))
        if not code:
            database.execute(statement)
            statement, code, error_class, severity = "DELETE FROM users", "SQLITE_READONLY", "config", "high"
        with pytest.raises(sqlite3.DatabaseError):
            database.execute(statement)

    attributes = dict(capturing.spans()[-1].attributes or {})
    assert (attributes[semconv.ERROR_TYPE], attributes[semconv.DB_RESPONSE_STATUS_CODE]) == (code, code)
    assert capturing.graded() == ("database", "sqlite", error_class, severity)
    assert SECRET not in capturing.everything()


def test_a_file_that_cannot_be_opened_is_one_record(capturing: Capturing, tmp_path: Path) -> None:
    path = tmp_path / "no" / f"{SECRET}.db"

    with pytest.raises(sqlite3.OperationalError):
        sqlite3.connect(path)

    assert capturing.world.span().name == "connect"
    assert capturing.graded() == ("database", "sqlite", "connection", "high")
    assert SECRET not in capturing.everything()
    assert "contextlib" not in capturing.everything()


def test_below_sqlalchemy_there_is_no_second_span(make_world: MakeWorld) -> None:
    capturing = Capturing(make_world, SQLITE3, SQLALCHEMY)
    engine = sa.create_engine("sqlite://")
    with engine.connect() as database:
        database.execute(sa.text("SELECT 1"))
    engine.dispose()

    assert [span.name for span in capturing.spans()] == ["SELECT"]


def test_it_is_watched_only_if_asked_for() -> None:
    def status(on: frozenset[str]) -> str:
        engine = Engine(trace.get_tracer("x"), metrics.get_meter("x"), Failsafe(strict=True), handover=print)
        everything = frozenset(library.name for library in _libraries.LIBRARIES) - {"sqlite3"}
        try:
            said = _libraries.install(engine, off=everything, on=on)
            return next(one.status for one in said if one.name == "sqlite3")
        finally:
            engine.uninstrument()

    assert status(frozenset()) == "off"
    assert status(frozenset({"sqlite3"})) == "watched"


def test_an_instrumentor_of_the_applications_own_is_left(world: World) -> None:
    theirs = SQLite3Instrumentor()
    theirs.instrument(tracer_provider=world.provider)
    try:
        world.engine.install(SQLITE3)
        with closing(sqlite3.connect(":memory:")) as database:
            database.cursor().execute("SELECT 1")
    finally:
        world.engine.uninstrument()
        theirs.uninstrument()

    assert len(world.spans()) == 1


def test_what_is_wrapped_is_put_back_and_open_connections_fall_silent(
    watched: World, database: sqlite3.Connection
) -> None:
    database.execute("SELECT 1")
    watched.engine.uninstrument()
    database.execute("SELECT 2")

    assert len(watched.spans()) == 1
    assert not hasattr(sqlite3.connect, "__wrapped__")
    assert sqlite3.connect is sqlite3.dbapi2.connect


def test_the_journal_and_the_standard_library_work_under_it() -> None:
    script = """
import os
import sqlite3
from tests.unit.instrumentation.conftest import World
from otel_guard.instrumentation.sqlite3 import SQLITE3
world = World()
world.engine.install(SQLITE3)
database = sqlite3.connect(":memory:", isolation_level=None, detect_types=sqlite3.PARSE_DECLTYPES)
database.row_factory = sqlite3.Row
database.executescript("CREATE TABLE t (a integer); INSERT INTO t VALUES (1)")
with database:
    database.execute("UPDATE t SET a = 2")
assert [tuple(row) for row in database.execute("SELECT a FROM t")] == [(2,)]
assert any("INSERT" in line for line in database.iterdump())
database.close()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_contribs_metric_has_our_name_of_the_operation() -> None:
    script = """
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
from tests.unit.instrumentation.conftest import World
from otel_guard.instrumentation.sqlite3 import SQLITE3
World().engine.install(SQLITE3)
import os
import sqlite3
database = sqlite3.connect(":memory:")
database.execute("SELECT'jane'")
database.close()
print(reader.get_metrics_data().to_json())
"""
    command = [sys.executable, "-c", script]
    environ = os.environ | {"OTEL_SEMCONV_STABILITY_OPT_IN": "http,database"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert "jane" not in done.stdout
    assert done.stdout.count('"db.operation.name": "SELECT"') == 1
