"""The public functions: a line or two each on the current Guard."""

from collections.abc import Mapping
from typing import Final

from otel_guard import guard
from otel_guard.core.record import Context, Severity
from otel_guard.instrumentation._engine import Engine
from otel_guard.instrumentation.watch import Watch

WHERE: Final = "capture_error"


def capture_error(
    exc: BaseException | None = None,
    *,
    context: Context | None = None,
    severity: Severity | None = None,
    user_id: object = None,
    metadata: Mapping[str, object] | None = None,
) -> str | None:
    """Report *exc* (None: the live exception), or amend its record if it was seen already.

    Given *severity* and *context* replace what was derived, *metadata* is merged. Never raises.

    Returns:
        The record's id; None if there is no exception, no Guard, or the failure is ignored or only counted (storm).
    """
    running = guard.running()
    if running is None:
        return None
    return running.report(exc, context=context, severity=severity, user_id=user_id, metadata=metadata)


def watch(
    name: str, *, context: Context = "other", system: str | None = None, severity: Severity | None = None
) -> Watch:
    """Watch a function (`def`, `async def`) or a `with` block: a span, counted, and a record on failure."""
    return Watch(_engine, name, context=context, system=system, severity=severity)


def user(user_id: object) -> None:
    """Set `user_id` of this request's or task's records."""
    running = guard.running()
    if running is not None:
        running.set_user(user_id)


def flush(timeout_s: float = 5.0) -> bool:
    """Deliver what waits; True: every durable sink has all that was appended before."""
    running = guard.running()
    return running is not None and running.flush(timeout_s)


def close(timeout_s: float | None = None) -> None:
    """Flush for up to `exit_timeout_s`, then stop; idempotent, runs at exit."""
    running = guard.running()
    if running is not None:
        running.close(timeout_s)


def _engine() -> Engine | None:
    running = guard.running()
    return running.engine if running is not None else None
