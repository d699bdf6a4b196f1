"""About a minute in the life of the shop: the faults in turn, a killed worker, a stopped Postgres."""

import os
import signal
from collections.abc import Iterator
from typing import Final

from otel_guard.demo.events import Note, Progress
from otel_guard.demo.faults import PLANNED, POSTGRES_STOPPED, WORKER_KILLED
from otel_guard.demo.parts import Shop
from otel_guard.demo.postgres import Postgres
from otel_guard.demo.traffic import Browsing, Customers
from otel_guard.runtime.clock import Clock

OUTAGE_S: Final = 5.0
ANSWERS_BEFORE_KILL: Final = 8
ROUNDS: Final = 5


def play(
    shop: Shop, customers: Customers, postgres: Postgres, *, lasting_s: float, clock: Clock
) -> Iterator[Progress | Note]:
    """Set off every fault, spread over *lasting_s*."""
    started = clock.monotonic()
    customers.place_an_order()
    with Browsing(customers) as browsing:
        plan = [
            (fault, fault.calls[n % len(fault.calls)]) for n in range(ROUNDS) for fault in PLANNED if n < fault.times
        ]
        for number, (fault, call) in enumerate(plan):
            if number == len(plan) // 3:
                with browsing.paused():
                    yield from _kill_a_worker(shop, customers, clock)
            if number == 2 * len(plan) // 3:
                with browsing.paused():
                    yield from _stop_postgres(shop, customers, postgres, clock)
            customers.send(fault, call)
            due = started + lasting_s * (number + 1) / len(plan)
            yield Progress("traffic", (number + 1) / len(plan), f"{len(customers.sent)} requests, now: {fault.name}")
            clock.sleep(max(0.0, due - clock.monotonic()))


def _kill_a_worker(shop: Shop, customers: Customers, clock: Clock) -> Iterator[Note]:
    victim = shop.workers[0]
    for number, _ in enumerate(customers.crowd(WORKER_KILLED), start=1):
        if number == ANSWERS_BEFORE_KILL:
            os.kill(victim, signal.SIGKILL)
    yield Note(f"worker {victim} killed in mid-traffic (SIGKILL)")
    shop.await_ready(clock)


def _stop_postgres(shop: Shop, customers: Customers, postgres: Postgres, clock: Clock) -> Iterator[Note]:
    postgres.stop("fast")
    back_at = clock.monotonic() + OUTAGE_S
    yield Note(f"Postgres stopped for {OUTAGE_S:.0f} s; customers keep coming")
    for _ in customers.crowd(POSTGRES_STOPPED):
        pass
    clock.sleep(max(0.0, back_at - clock.monotonic()))
    postgres.start_again()
    yield Note("Postgres is back")
    shop.await_ready(clock)
