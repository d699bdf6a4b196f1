"""Inspections of a real database, and numbers by a user's own statement."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from otel_guard.core.exceptions import StoreUnavailableError
from otel_guard.core.rule import Finding, Moment, dedup_key
from otel_guard.demo.postgres import start
from otel_guard.monitor.judging import judge
from otel_guard.runtime.clock import SYSTEM
from otel_guard.store.inspections import inspector
from otel_guard.store.judging import RuleQueryError, number
from tests.integration.monitor.judges.conftest import BUILTIN, World, custom

RULE = BUILTIN["database_pressure"]


def now() -> datetime:
    return datetime.fromtimestamp(SYSTEM.now_ms() / 1000, UTC)


def look(dsn: str, later_s: float = 0) -> dict[str, Finding]:
    """What the inspections find of *dsn*, as it is, *later_s* from now."""
    moment = Moment(now=now() + timedelta(seconds=later_s), gap_s=15, period_s=15)
    return {each.dimension: each for each in judge(RULE, inspector(dsn), moment)}


@pytest.fixture
def client(empty_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    with closing(psycopg.connect(empty_dsn, application_name="shop")) as connection:
        yield connection


@pytest.mark.parametrize(("later_s", "state"), [(58, "clear"), (61, "bad")])
def test_a_connection_that_idles_in_a_transaction(
    client: psycopg.Connection[Any], empty_dsn: str, later_s: float, state: str
) -> None:
    client.execute("SELECT 'a secret', 7 AS answer")

    found = look(empty_dsn, later_s)["idle_in_transaction"]

    assert (found.state, found.severity, found.threshold) == (state, "medium", 60)
    assert found.queries[0]["query"] == "SELECT ?, ? AS answer"
    assert dedup_key(found) == "database_pressure:::idle_in_transaction"
    assert f", shop, pid {client.info.backend_pid})" in found.message
    assert found.message.startswith("a connection idles in a transaction for ")
    assert found.started_at is not None
    assert abs((found.started_at - now()).total_seconds()) < 5


@pytest.mark.parametrize(("later_s", "state"), [(298, "clear"), (301, "bad")])
def test_a_transaction_that_is_open_for_5_minutes(
    client: psycopg.Connection[Any], empty_dsn: str, later_s: float, state: str
) -> None:
    client.execute("SELECT 1")

    found = look(empty_dsn, later_s)["long_transaction"]

    assert (found.state, found.severity) == (state, "medium")


def test_pg_dump_and_our_own_are_left_alone(empty_dsn: str) -> None:
    for name in ("pg_dump", "otel_guard"):
        with closing(psycopg.connect(empty_dsn, application_name=name)) as connection:
            connection.execute("SELECT 1")

            assert "long_transaction" not in look(empty_dsn, 900), name


def test_a_blocked_query_names_who_blocks_it(client: psycopg.Connection[Any], empty_dsn: str) -> None:
    client.execute("CREATE TABLE orders (id int)")
    client.commit()
    client.execute("LOCK TABLE orders")
    with closing(psycopg.connect(empty_dsn, application_name="worker")) as blocked:
        blocked.execute("SET statement_timeout = '20s'")
        blocked.commit()
        blocked.pgconn.send_query(b"SELECT * FROM orders WHERE id = 12345")
        found = wait(lambda: look(empty_dsn, 31).get("blocked_query"))

        assert (found.state, found.severity, found.threshold) == ("bad", "high", 30)
        assert found.message.endswith(
            f"({blocked.info.user}, worker, pid {blocked.info.backend_pid}), by pid {client.info.backend_pid}"
        )
        assert found.queries[0]["query"] == "SELECT * FROM orders WHERE id = ?"
        assert found.queries[0]["table"] == "orders"
        assert look(empty_dsn, 20)["blocked_query"].state == "clear"


def wait(condition: Callable[[], Finding | None]) -> Finding:
    deadline = SYSTEM.monotonic() + 10
    while SYSTEM.monotonic() < deadline:
        if (found := condition()) is not None:
            return found
        SYSTEM.sleep(0.05)
    raise AssertionError("it was not found in 10 s")


def test_a_healthy_database_is_clear(client: psycopg.Connection[Any], empty_dsn: str) -> None:
    found = look(empty_dsn)

    assert {name: each.state for name, each in found.items()} == {"connections": "clear", "transaction_ids": "clear"}
    assert client.info.dbname == found["connections"].labels["database"]


def test_more_than_80_percent_of_the_connections_are_high(tmp_path: Path) -> None:
    cluster = start(tmp_path, options={"max_connections": "10", "max_wal_senders": "0", "autovacuum": "off"})
    clients: list[psycopg.Connection[Any]] = []
    try:
        while len(clients) < 8:
            clients.append(psycopg.connect(cluster.dsn))
        calm = look(cluster.dsn)["connections"]
        clients.append(psycopg.connect(cluster.dsn))
        found = look(cluster.dsn)["connections"]
    finally:
        for each in clients:
            each.close()
        cluster.close()

    assert (calm.state, calm.value) == ("clear", 0.8)
    assert (found.state, found.severity, found.value) == ("bad", "high", 0.9)
    assert found.message == "90 % of the 10 connections are in use"


def test_a_database_that_is_away_is_no_finding() -> None:
    with pytest.raises(StoreUnavailableError, match=r"127\.0\.0\.1:1/none"):
        look("postgresql://postgres@127.0.0.1:1/none")


@pytest.fixture
def orders(world: World) -> World:
    world.query("CREATE TABLE public.orders (id int, shipped bool)")
    world.query("INSERT INTO public.orders SELECT n, n > 3 FROM generate_series(1, 10) AS n")
    return world


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("select count(*) from orders where not shipped", 3),
        ("SELECT avg(id) FROM orders;", 5.5),
        ("select -- with 100 % of them\n max(id)::float8 from orders where 'a%s' like 'a%'", 10),
    ],
)
def test_a_query_gives_its_number(orders: World, text: str, value: float) -> None:
    assert number(orders.lane, text) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("select id from orders", "gives several rows"),
        ("select id from orders where id = 0", "gives no row"),
        ("select id, id from orders where id = 1", "gives 2 columns"),
        ("select max(id) from orders where id = 0", r"gives NULL: write coalesce\(…, 0\)"),
        ("select 'many'", "gives a str, not a number"),
        ("select true", "gives a bool, not a number"),
        ("select 'NaN'::float8", "gives nan"),
        ("select count(*) from ordres", 'failed: relation "ordres" does not exist'),
        ("delete from orders", "failed: syntax error"),
        ("with gone as (delete from orders returning 1) select count(*) from gone", "failed: "),
        ("select 1; commit; delete from orders", "failed: cannot insert multiple commands"),
        ("select nextval('numbers')", "failed: cannot execute nextval"),
        ("", "failed: syntax error"),
    ],
)
def test_a_query_that_gives_no_number_or_writes_is_refused_and_the_lane_goes_on(
    orders: World, text: str, why: str
) -> None:
    orders.query("CREATE SEQUENCE public.numbers")

    with pytest.raises(RuleQueryError, match=why):
        number(orders.lane, text)

    assert number(orders.lane, "select count(*) from orders") == 10


def test_a_query_has_its_time(orders: World) -> None:
    with pytest.raises(RuleQueryError, match=r"took more than 0\.2 s"):
        number(orders.lane, "select pg_sleep(5)::text::int", statement_ms=200)


@pytest.mark.parametrize(("above", "state"), [(2, "bad"), (3, "still"), (4, "clear")])
def test_a_rule_by_sql_compares_its_number(orders: World, above: float, state: str) -> None:
    rule = custom(
        name="unshipped", source="sql", query="select count(*) from orders where not shipped", above=above,
        clear=above * 0.8,
    )  # fmt: skip

    found = orders.one(rule)

    assert (found.state, found.value, found.message) == (state, 3, "unshipped: 3")
    assert dedup_key(found) == "unshipped::"


def test_a_rule_by_sql_can_want_a_least(orders: World) -> None:
    rule = custom(source="sql", query="select count(*) from orders", below=11, clear=11)

    assert orders.state(rule) == "bad"
    assert orders.state(rule, below=10, clear=10) == "clear"
