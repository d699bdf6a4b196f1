"""Errors per second from the `except` to the row, against COPY of the same rows; and the CPU at 1,000 a second."""

import json
import os
import sys
import time

import psycopg

import otel_guard
from benchmarks import guards
from benchmarks.errors import step_of
from otel_guard.runtime.clock import SYSTEM

COUNT = 20_000
DEPTH = 10
PACE = 1_000  # errors a second
PACED_S = 6


def guard() -> dict[str, float]:
    """From the first error to the last row, none lost."""
    with psycopg.connect(os.environ["OTEL_GUARD_DSN"], autocommit=True) as database:
        database.execute("TRUNCATE otel_guard.system_errors")
        mine = guards.start()
        step = step_of(DEPTH, otel_guard.capture_error)
        begun = time.perf_counter()
        for _ in range(COUNT):
            step()
        captured = time.perf_counter()
        guards.flush()
        ended = time.perf_counter()
        guards.all_recorded(mine, COUNT)
        rows = database.execute("SELECT count(*) FROM otel_guard.system_errors").fetchone()
    if rows != (COUNT,):
        raise RuntimeError(f"{COUNT} rows were expected: {rows}")
    return {"per_s": COUNT / (ended - begun), "captured_per_s": COUNT / (captured - begun)}


def copy() -> dict[str, float]:
    """COPY of the rows that `guard` left, into a logged table of the same columns and compression, without indexes."""
    with psycopg.connect(os.environ["OTEL_GUARD_DSN"], autocommit=True) as database:
        database.execute("DROP TABLE IF EXISTS public.raw")
        database.execute("CREATE TABLE public.raw (LIKE otel_guard.system_errors INCLUDING COMPRESSION)")
        with database.cursor().copy("COPY otel_guard.system_errors TO STDOUT (FORMAT binary)") as out:
            data = b"".join(bytes(part) for part in out)
        begun = time.perf_counter()
        with database.cursor().copy("COPY public.raw FROM STDIN (FORMAT binary)") as into:
            into.write(data)
        seconds = time.perf_counter() - begun
        rows = database.execute("SELECT count(*) FROM public.raw").fetchone()
    if rows != (COUNT,):
        raise RuntimeError(f"{COUNT} rows were expected: {rows}")
    return {"per_s": COUNT / seconds, "row_bytes": len(data) / COUNT}


def paced() -> dict[str, float]:
    """The process's CPU an error at a steady pace, raising and delivery included."""
    mine = guards.start()
    step = step_of(DEPTH, otel_guard.capture_error)
    for _ in range(PACE):
        step()
    guards.flush()
    process, begun = time.process_time_ns(), SYSTEM.monotonic()
    for number in range(PACE * PACED_S):
        step()
        early = begun + number / PACE - SYSTEM.monotonic()
        if early > 0:
            SYSTEM.sleep(early)
    guards.flush()
    process = time.process_time_ns() - process
    guards.all_recorded(mine, PACE * (PACED_S + 1))
    return {"process_us": process / (PACE * PACED_S) / 1000}


if __name__ == "__main__":
    print(json.dumps({"guard": guard, "copy": copy, "paced": paced}[sys.argv[1]]()))
    sys.stdout.flush()
