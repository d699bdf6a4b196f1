import os
import signal
import time
from socket import socket
from typing import Any

import psycopg
import pytest

from otel_guard.core.delivery import Delivered, Quarantine, Retry

Fields = dict[str, object]


@pytest.mark.parametrize(
    "poison",
    [
        {"message": "a\x00b"},
        {"message": "a\udce9b"},
        {"metadata": {"key": "a\x00b"}},
        {"metadata": {"key": "a\udce9b"}},
        {"severity": "apocalyptic"},
        {"seq": 2**70},
    ],
)
def test_one_poisoned_record_of_500_is_quarantined_and_499_are_stored(store: Any, poison: Fields) -> None:
    records = [store.error(number, **(poison if number == 321 else {})) for number in range(500)]
    sink = store.sink()

    outcome = sink.deliver(store.batch(*records))
    rest = [record for record in records if record.id not in getattr(outcome, "ids", ())]

    assert isinstance(outcome, Quarantine)
    assert outcome.ids == {store.id(321)}
    assert outcome.why
    assert sink.deliver(store.batch(*rest)) == Delivered()
    assert store.query("SELECT count(*) AS n FROM otel_guard.system_errors") == [{"n": 499}]
    assert store.query("SELECT occurrences FROM otel_guard.error_groups") == [{"occurrences": 499}]


def test_a_poisoned_amendment_leaves_its_row(store: Any) -> None:
    outcome = store.sink().deliver(store.batch(store.error(1), store.amendment(1, route="\x00")))

    assert isinstance(outcome, Quarantine)
    assert store.query("SELECT count(*) AS n FROM otel_guard.system_errors") == [{"n": 1}]


def test_a_frozen_server_is_left_by_the_watchdog_and_taken_up_again(store: Any) -> None:
    sink = store.sink()
    sink.deliver(store.batch(store.error(1)))
    (backend,) = store.query(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'otel_guard' AND datname = current_database()"
    )
    pid = int(str(backend["pid"]))
    signal.pidfd_send_signal(frozen := os.pidfd_open(pid), signal.SIGSTOP)
    try:
        begun = time.monotonic()
        outcome = sink.deliver(store.batch(store.error(2)))
        took_s = time.monotonic() - begun
    finally:
        signal.pidfd_send_signal(frozen, signal.SIGCONT)

    assert isinstance(outcome, Retry)
    assert outcome.after_s is None
    assert 3 < took_s < 6
    assert not sink.up
    assert sink.deliver(store.batch(store.error(2))) == Delivered()
    assert store.query("SELECT count(*) AS n FROM otel_guard.system_errors") == [{"n": 2}]


@pytest.mark.parametrize(
    ("break_it", "cure"),
    [
        ("DROP SCHEMA otel_guard CASCADE", "run `otel-guard migrate`"),
        ("DELETE FROM otel_guard.schema_migrations WHERE version > 1", "is at version 1, this otel-guard needs"),
        ("ALTER TABLE otel_guard.system_errors DROP COLUMN route CASCADE", "run `otel-guard migrate` of the newest"),
        ("ALTER TABLE otel_guard.system_errors ADD COLUMN tenant int NOT NULL", "drop that NOT NULL"),
    ],
)
def test_what_a_person_must_cure_is_said_once_a_minute_and_tried_each_30_s(
    store: Any, break_it: str, cure: str
) -> None:
    store.query(break_it)
    sink = store.sink()

    outcomes = [sink.deliver(store.batch(store.error(1))) for _ in range(2)]
    store.clock.sleep(61)
    outcomes.append(sink.deliver(store.batch(store.error(1))))

    assert all(isinstance(outcome, Retry) and outcome.after_s == 30 for outcome in outcomes)
    assert len(store.said) == 2
    assert cure in store.said[0]
    assert store.said[0].endswith("; records wait in the journal")
    assert sink.problem
    assert cure in sink.problem


def test_a_role_without_rights_is_said_so(store: Any) -> None:
    name = "role_" + store.dsn.rpartition("_")[2]
    store.query(f"CREATE ROLE {name} LOGIN PASSWORD 'hidden'; GRANT USAGE ON SCHEMA otel_guard TO {name}")

    outcome = store.sink(store.dsn.replace("guard@", f"{name}:hidden@")).deliver(store.batch(store.error(1)))

    assert isinstance(outcome, Retry)
    assert outcome.after_s == 30
    assert "let the role in OTEL_GUARD_DSN own the schema otel_guard" in outcome.why
    assert "hidden" not in outcome.why


def test_a_server_that_is_away_waits_and_its_return_is_said(store: Any) -> None:
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = store.sink(f"postgresql://u:hidden@127.0.0.1:{taken.getsockname()[1]}/x")
        outcomes = [away.deliver(store.batch(store.error(1))) for _ in range(3)]

    assert all(isinstance(outcome, Retry) and outcome.after_s is None for outcome in outcomes)
    assert len(store.said) == 1
    assert "Connection refused" in store.said[0]
    assert "hidden" not in store.said[0]


def test_a_terminated_connection_is_a_quiet_retry(store: Any) -> None:
    sink = store.sink()
    sink.deliver(store.batch(store.error(1)))
    store.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'otel_guard' AND datname = current_database()"
    )

    outcomes = [sink.deliver(store.batch(store.error(2))) for _ in range(2)]

    assert isinstance(outcomes[0], Retry)
    assert outcomes[1] == Delivered()
    assert store.said == []
    assert sink.up


def test_a_locked_table_is_a_quiet_retry(store: Any) -> None:
    with psycopg.connect(store.dsn) as other:
        other.execute("LOCK TABLE otel_guard.error_groups")
        outcome = store.sink().deliver(store.batch(store.error(1)))

    assert isinstance(outcome, Retry)
    assert "lock timeout" in outcome.why
    assert store.said == []


def test_too_slow_a_server_gets_smaller_batches(store: Any) -> None:
    store.query(
        "CREATE FUNCTION otel_guard.nap() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.4); RETURN NEW; END';"
        "CREATE TRIGGER nap BEFORE INSERT ON otel_guard.system_errors FOR EACH ROW EXECUTE FUNCTION otel_guard.nap()"
    )
    sink = store.sink()
    records = [store.error(number) for number in range(6)]
    for _ in range(2):
        assert isinstance(sink.deliver(store.batch(*records)), Retry)
        assert sink.problem
        assert "statement timeout" in sink.problem
    sink._chunk = 2  # as after more failures

    assert sink.deliver(store.batch(*records)) == Delivered(settled=2)
    assert sink.deliver(store.batch(*records[2:])) == Delivered()


def test_a_commit_that_the_server_may_forget_is_not_used(store: Any) -> None:
    store.query(f"ALTER DATABASE {store.dsn.rpartition('/')[2]} SET synchronous_commit = off")
    store.query(
        "CREATE FUNCTION otel_guard.note() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN NEW.route := current_setting(''synchronous_commit''); RETURN NEW; END';"
        "CREATE TRIGGER note BEFORE INSERT ON otel_guard.system_errors FOR EACH ROW EXECUTE FUNCTION otel_guard.note()"
    )
    store.sink().deliver(store.batch(store.error(1)))

    assert store.query("SELECT route FROM otel_guard.system_errors") == [{"route": "on"}]


def test_an_idle_connection_is_closed_after_a_minute(store: Any) -> None:
    connected = "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = 'otel_guard' AND datname = current_database()"
    sink = store.sink()
    sink.deliver(store.batch(store.error(1)))
    sink.tend()
    before = store.query(connected)
    store.clock.sleep(61)
    sink.tend()
    deadline = time.monotonic() + 5
    while store.query(connected) != [{"n": 0}]:
        assert time.monotonic() < deadline

    assert before == [{"n": 1}]
    assert sink.deliver(store.batch(store.error(2))) == Delivered()
