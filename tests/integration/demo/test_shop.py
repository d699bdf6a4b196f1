"""The example shop, bare: each planned fault fires as a customer sees it, and good orders go through."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from otel_guard.demo import parts, postgres
from otel_guard.demo.faults import HEALTHY, PLANNED, WORKER_KILLED, Call, Fault
from otel_guard.demo.parts import Shop, StandIns
from otel_guard.demo.traffic import Customers
from otel_guard.runtime.clock import SYSTEM


class Running:
    def __init__(self, shop: Shop, others: StandIns, database: postgres.Postgres) -> None:
        self.shop = shop
        self.others = others
        self.database = database
        self.customers = Customers(shop.port)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("demo")
    with ExitStack() as closing:
        database = postgres.start(folder)
        closing.callback(database.close)
        others = parts.start_stand_ins()
        closing.callback(others.stop)
        traces = parts.CountedTraces(folder / "traces.txt")
        closing.callback(traces.stop)
        env = parts.shop_environment(database.dsn, traces, others, folder)
        shop = parts.Shop(env=env, port=parts.free_port(), log=folder / "shop.log", is_watched=False)
        closing.callback(shop.stop)
        shop.await_ready(SYSTEM)
        made = Running(shop, others, database)
        made.customers.place_an_order()
        yield made


CALLS = [(fault, call) for fault in (*PLANNED, WORKER_KILLED, HEALTHY) for call in fault.calls]


@pytest.mark.parametrize(("fault", "call"), CALLS, ids=[f"{fault.name}: {call.path}" for fault, call in CALLS])
def test_a_customer_sees(running: Running, fault: Fault, call: Call) -> None:
    assert running.customers.send(fault, call).status in call.statuses


def test_a_good_order_is_paid_noted_and_confirmed(running: Running) -> None:
    number = running.customers.place_an_order()

    with psycopg.connect(running.database.dsn) as database:
        row = database.execute("SELECT status, note, total_cents FROM orders WHERE number = %s", [number]).fetchone()
    assert row is not None
    assert (row[0], row[2]) == ("paid", 2900)
    assert "Thank you" in row[1]
    assert any(number.encode() in mail.data for mail in running.others.smtp.mails)


def test_nothing_of_otel_guard_is_in_the_shop() -> None:
    for file in parts.example().glob("*.py"):
        if file.name != "app_two_lines.py":
            assert "otel" not in file.read_text().lower(), file.name
