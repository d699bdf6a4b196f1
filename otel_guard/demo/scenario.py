"""About a minute in the life of the shop: the faults in turn, a killed worker, a stopped Postgres."""

import os
import signal
from collections.abc import Generator, Iterator
from typing import Final

from otel_guard.demo.events import Note, Progress
from otel_guard.demo.faults import PLANNED, POSTGRES_STOPPED, WORKER_KILLED
from otel_guard.demo.stage import Stage
from otel_guard.demo.traffic import Browsing, Customers
from otel_guard.runtime.clock import Clock

OUTAGE_S: Final = 5.0
ANSWERS_BEFORE_KILL: Final = 8
ROUNDS: Final = 5
TRACES_LIMIT_S: Final = 10.0
HEALTH_LIMIT_S: Final = 12.0
POLL_S: Final = 0.2


def play(
    stage: Stage, customers: Customers, health: dict[str, str], *, lasting_s: float, clock: Clock
) -> Iterator[Progress | Note]:
    """Set off every fault, spread over *lasting_s*; *health* gets what `otel-guard health` says before and during."""
    started = clock.monotonic()
    customers.place_an_order()
    with Browsing(customers) as browsing:
        plan = [
            (fault, fault.calls[n % len(fault.calls)]) for n in range(ROUNDS) for fault in PLANNED if n < fault.times
        ]
        health["before"] = yield from _first_health(stage, clock)
        for number, (fault, call) in enumerate(plan):
            if number == len(plan) // 3:
                with browsing.paused():
                    yield from _kill_a_worker(stage, customers, clock)
            if number == 2 * len(plan) // 3:
                with browsing.paused():
                    yield from _stop_postgres(stage, customers, clock)
            customers.send(fault, call)
            due = started + lasting_s * (number + 1) / len(plan)
            yield Progress("traffic", (number + 1) / len(plan), f"{len(customers.sent)} requests, now: {fault.name}")
            clock.sleep(max(0.0, due - clock.monotonic()))
        health["during"] = stage.health


def _first_health(stage: Stage, clock: Clock) -> Generator[Progress, None, str]:
    """Wait until the workers have said how they are."""
    deadline = clock.monotonic() + HEALTH_LIMIT_S
    while (said := stage.health).startswith("unknown") and clock.monotonic() < deadline:
        yield Progress("traffic", 0.0, "customers browse; the workers say how they are")
        clock.sleep(POLL_S)
    return said


def _kill_a_worker(stage: Stage, customers: Customers, clock: Clock) -> Iterator[Note]:
    _await_traces(stage, customers, clock)
    victim = stage.shop.workers[0]
    for number, _ in enumerate(customers.crowd(WORKER_KILLED), start=1):
        if number == ANSWERS_BEFORE_KILL:
            os.kill(victim, signal.SIGKILL)
    yield Note(f"worker {victim} killed in mid-traffic (SIGKILL)")
    stage.shop.await_ready(clock)


def _stop_postgres(stage: Stage, customers: Customers, clock: Clock) -> Iterator[Note]:
    stage.postgres.stop("fast")
    back_at = clock.monotonic() + OUTAGE_S
    yield Note(f"Postgres stopped for {OUTAGE_S:.0f} s; customers keep coming")
    for _ in customers.crowd(POSTGRES_STOPPED):
        pass
    clock.sleep(max(0.0, back_at - clock.monotonic()))
    stage.postgres.start_again()
    yield Note("Postgres is back")
    stage.shop.await_ready(clock)


def _await_traces(stage: Stage, customers: Customers, clock: Clock) -> None:
    """Let the spans of earlier requests leave the worker: only those of the crowd may die with it."""
    deadline = clock.monotonic() + TRACES_LIMIT_S
    sent = {one.trace_id for one in customers.sent}
    while not sent <= stage.traces.ids() and clock.monotonic() < deadline:
        clock.sleep(POLL_S)
