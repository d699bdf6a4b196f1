"""The public functions: a line or two each on the current Guard."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from otel_guard import guard
from otel_guard.core.record import Context, Severity
from otel_guard.instrumentation._engine import Block, Engine
from otel_guard.instrumentation.watch import watching
from otel_guard.instrumentation.webhook import webhooks

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
) -> Block:
    """Watch a function (`def`, `async def`) or a `with` block: a span, counted, and a record on failure."""
    return watching(_engine, name, context=context, system=system, severity=severity)


def webhook(
    provider: str,
    event: object = None,
    *,
    type: str | None = None,  # noqa: A002 - the contract's names
    id: str | None = None,  # noqa: A002
    created: datetime | int | None = None,
) -> Block:
    """Watch the handling of one webhook event: its duration, outcome, and lag = now - *created* (Unix seconds).

    A `with` block round the handling; or a decorator of a handler whose first argument has `type` and `id`. What is
    not given is read from *event*.
    """
    return webhooks(_engine, provider, event, type=type, id=id, created=created)


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
