"""Fails in three critical ways, so often as the first argument says, within one process."""

import sys

import otel_guard


class CardVault(Exception):
    pass


class Ledger(Exception):
    pass


class KeyRefused(Exception):
    pass


def fail(kind: type[Exception], number: int) -> None:
    raise kind(f"order {number} could not be booked")


with otel_guard.configure():
    count = int(sys.argv[1])
    for number in range(count):
        try:
            fail((CardVault, Ledger, KeyRefused)[number % 3], number)
        except Exception as error:
            otel_guard.capture_error(error, severity="critical")
    sys.stdout.write(f"flushed {otel_guard.flush(60.0)}\n")
    sys.stdout.flush()
    sys.stdin.readline()
