from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from otel_guard.core.exceptions import MigrationError, StoreUnavailableError
from otel_guard.store.migrate import migrate, migrations
from otel_guard.store.statements import FOLDER

ALL = [migration.name for migration in migrations()]


def test_all_migrations_are_applied_once(empty_dsn: str) -> None:
    first, second = migrate(empty_dsn), migrate(empty_dsn)

    assert (first.applied, first.version) == (ALL, len(ALL))
    assert (second.applied, second.version) == ([], len(ALL))


def test_two_migrators_at_once_apply_each_migration_once(empty_dsn: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(migrate, [empty_dsn] * 4))

    assert sorted(name for result in results for name in result.applied) == ALL
    assert {result.version for result in results} == {len(ALL)}


def test_a_changed_migration_is_refused_and_nothing_is_changed(dsn: str, tmp_path: Path) -> None:
    for path in (FOLDER / "migrations").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "0001_records.sql").write_bytes(b"SELECT 1")
    (tmp_path / "9999_new.sql").write_bytes(b"CREATE TABLE otel_guard.never (id int)")

    with pytest.raises(MigrationError, match="0001_records was changed after it was applied"):
        migrate(dsn, folder=tmp_path)

    with psycopg.connect(dsn) as database:
        assert database.execute("SELECT to_regclass('otel_guard.never')").fetchone() == (None,)


def test_a_failing_migration_leaves_nothing_behind(dsn: str, tmp_path: Path) -> None:
    (tmp_path / "9999_bad.sql").write_bytes(b"CREATE TABLE otel_guard.never (id int); SELECT 1/0")

    with pytest.raises(MigrationError, match="division by zero"):
        migrate(dsn, folder=tmp_path)

    with psycopg.connect(dsn) as database:
        assert database.execute("SELECT to_regclass('otel_guard.never')").fetchone() == (None,)


def test_a_server_that_is_away_is_said_so() -> None:
    with pytest.raises(StoreUnavailableError, match=r"127\.0\.0\.1:1/x"):
        migrate("postgresql://u:hidden@127.0.0.1:1/x")


def test_an_insert_of_error_type_to_created_at_alone_works(dsn: str) -> None:
    columns = "error_type, message, context, severity, user_id, metadata, stack_trace, created_at"
    with psycopg.connect(dsn) as database:
        database.execute(
            f"INSERT INTO otel_guard.system_errors ({columns}) VALUES ('E', 'm', 'api', 'low', 'u', '{{}}', 's', now())"
        )
        row = database.execute("SELECT repeat_count, id IS NOT NULL FROM otel_guard.system_errors").fetchone()

    assert row == (1, True)


def test_every_table_is_closed_to_everyone_but_its_owner(dsn: str) -> None:
    open_tables = (
        "SELECT relname FROM pg_class WHERE relnamespace = 'otel_guard'::regnamespace AND relkind = 'r'"
        " AND (NOT relrowsecurity OR EXISTS (SELECT FROM aclexplode(relacl) WHERE grantee = 0))"
    )
    with psycopg.connect(dsn) as database:
        assert database.execute(open_tables).fetchall() == []


def test_long_texts_are_lz4_where_it_is_built_in(dsn: str) -> None:
    lz4 = "SELECT attname FROM pg_attribute WHERE attrelid = 'otel_guard.system_errors'::regclass AND attcompression = 'l'"
    with psycopg.connect(dsn) as database:
        columns = {name for (name,) in database.execute(lz4)}

    assert columns in ({"stack_trace", "metadata"}, set())


def test_the_indexes_are_those_of_the_design(dsn: str) -> None:
    listed = {
        "system_errors (created_at DESC)",
        "system_errors (severity, created_at DESC)",
        "system_errors (fingerprint, created_at DESC)",
        "system_errors (trace_id) WHERE (trace_id IS NOT NULL)",
        "system_metrics (type, created_at DESC)",
        "error_groups (state, last_seen_at DESC)",
        "error_hours (fingerprint, hour DESC)",
        "metric_minutes (name, service, minute DESC)",
        "incidents (dedup_key) WHERE (state <> 'resolved'::text)",
        "incidents (fired_at DESC)",
        "incident_events (incident_id, at)",
        "alert_outbox (incident_id)",
        "alert_outbox (channel, sent_at)",
        "alert_outbox (channel) WHERE (state = ANY (ARRAY['pending'::text, 'sending'::text]))",
    }
    sql = "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'otel_guard' AND indexname NOT LIKE '%_pkey'"
    with psycopg.connect(dsn) as database:
        found = {f"{table} {definition.partition('USING btree ')[2]}" for table, definition in database.execute(sql)}

    assert found == listed
