"""In place of Postgres while its DSN cannot be read: every record waits for the service's next process."""

from typing import Final

from otel_guard.core.delivery import Batch, Outcome, Retry

NEVER_S: Final = 24 * 3600.0  # the settings of a running process stay as they are


class UnusableSink:
    """Takes nothing."""

    def deliver(self, batch: Batch) -> Outcome:  # noqa: ARG002 - a sink's signature
        """Leave it in the journal."""
        return Retry("OTEL_GUARD_DSN cannot be used", NEVER_S)
