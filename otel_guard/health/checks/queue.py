"""A queue's depth, as the application's own function tells it."""

from collections.abc import Callable
from typing import Final

from otel_guard.health.checks._base import Check, Found

TIMEOUT_S: Final = 2.0
EVERY_S: Final = 15.0


def check(name: str, depth_fn: Callable[[], int]) -> Check:
    """The check of `guard.health.queue`."""

    def run() -> Found:
        try:
            return Found("healthy", depth=int(depth_fn()))
        except Exception as error:
            return Found("unhealthy", f"its depth is not known: {type(error).__name__}")

    return Check(name=f"queue:{name}", run=run, timeout_s=TIMEOUT_S, every_s=EVERY_S, kind="queue")
