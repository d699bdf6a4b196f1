"""The application's database: `SELECT 1` on a connection of its own, so a used-up pool is not taken for an outage."""

from typing import Final

from otel_guard.core.dependency import DATABASE
from otel_guard.core.exceptions import OtelGuardError
from otel_guard.health.checks._base import Check, Found
from otel_guard.store.probe import select_one

TIMEOUT_S: Final = 2.0  # 1 s to connect, 1 s to answer
EVERY_S: Final = 15.0


def check(url: str) -> Check:
    """The check of `[check.database]`."""

    def run() -> Found:
        try:
            select_one(url)
        except OtelGuardError as error:
            return Found("unhealthy", str(error))
        return Found("healthy")

    return Check(name=DATABASE, run=run, timeout_s=TIMEOUT_S, every_s=EVERY_S, is_critical=True)
