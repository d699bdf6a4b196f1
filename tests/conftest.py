"""A Postgres server for the session, a fresh migrated database for a test, and no skip where CI forbids it."""

import os
import uuid
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

import psycopg
import pytest

from otel_guard.demo.postgres import Postgres, PostgresError, start
from otel_guard.store.migrate import migrate

TEMPLATE = "otel_guard_template"
FORBIDDEN = "skipped, which OTEL_GUARD_REQUIRE_ALL=1 forbids (mark what may be skipped: may_skip): "

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With OTEL_GUARD_REQUIRE_ALL=1 a skipped test has failed, unless it is marked `may_skip`."""
    report = yield
    is_expected = hasattr(report, "wasxfail") or item.get_closest_marker("may_skip") is not None
    return report if is_expected else _not_skipped(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a file that skips itself as a whole."""
    return _not_skipped((yield))


def _not_skipped(report: Report) -> Report:
    if report.skipped and os.environ.get("OTEL_GUARD_REQUIRE_ALL") == "1":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = FORBIDDEN + reason
    return report


class Server:
    """A private cluster on 127.0.0.1."""

    def __init__(self, cluster: Postgres) -> None:
        self.cluster = cluster  # stop, kill, start_again, pid

    def dsn(self, database: str) -> str:
        """The superuser's address of *database*."""
        return f"{self.cluster.dsn.rpartition('/')[0]}/{database}"

    def execute(self, sql: str) -> None:
        """Run *sql* as superuser, outside a transaction."""
        with psycopg.connect(self.cluster.dsn, autocommit=True) as database:
            database.execute(sql.encode())

    def fresh(self, template: str = "template0") -> str:
        """Make a database and return its address."""
        name = f"test_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.dsn(name)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of this session; who stops or freezes it starts it again."""
    try:
        cluster = start(tmp_path_factory.mktemp("postgres"), options={"autovacuum": "off"})
    except PostgresError as error:
        pytest.skip(str(error))
    server = Server(cluster)
    try:
        server.execute(f"CREATE DATABASE {TEMPLATE}")
        migrate(server.dsn(TEMPLATE))
        yield server
    finally:
        cluster.close()


@pytest.fixture
def dsn(postgres: Server) -> str:
    """The address of a fresh database with the schema otel_guard."""
    return postgres.fresh(TEMPLATE)


@pytest.fixture
def empty_dsn(postgres: Server) -> str:
    """The address of a fresh database without the schema."""
    return postgres.fresh()


Query = Callable[..., list[dict[str, object]]]


@pytest.fixture
def query(dsn: str) -> Query:
    """Run SQL in the fresh database, rows as dicts."""

    def run(sql: str, *values: object) -> list[dict[str, object]]:
        with psycopg.connect(dsn, row_factory=psycopg.rows.dict_row, autocommit=True) as database:
            cursor = database.execute(sql.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    return run
