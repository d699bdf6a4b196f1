"""A check of the application's own: a function that raises when something is wrong."""

from collections.abc import Callable

from otel_guard.health.checks._base import Check, Found
from otel_guard.runtime.text import safe_text

_LONGEST = 200


def check(name: str, fn: Callable[[], object], *, critical: bool, timeout_s: float, every_s: float) -> Check:
    """The check of `guard.health.add`."""

    def run() -> Found:
        try:
            fn()
        except Exception as error:
            return Found("unhealthy", f"{type(error).__name__}: {safe_text(error, _LONGEST)}".rstrip(": "))
        return Found("healthy")

    return Check(name=name, run=run, timeout_s=timeout_s, every_s=every_s, is_critical=critical)
