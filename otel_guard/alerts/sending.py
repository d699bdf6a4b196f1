"""`guard.alerts`: incidents that the application opens itself."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from otel_guard.core.incident import Opening
from otel_guard.core.record import Context, Severity
from otel_guard.core.severity import valid_context, valid_severity
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.text import safe_text
from otel_guard.settings.identity import Identity

NAME_LIMIT: Final = 100
MESSAGE_LIMIT: Final = 1000
LABELS: Final = 20
logger: Final = logging.getLogger("otel_guard")


class Alerts:
    """Hands incidents to the fast path; never raises, never waits."""

    def __init__(self, who: Identity, put: Callable[[Opening], bool], redact: Callable[[str], str] = str) -> None:
        """*put* is False where there is no Postgres."""
        self._who = who
        self._put = put
        self._redact = redact

    def send(
        self,
        type: str,  # noqa: A002 - the contract's name
        message: str,
        *,
        severity: Severity = "high",
        context: Context | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """Open an incident, or touch the one of this *type* that is open; a person ends it."""
        name = safe_text(type, NAME_LIMIT)
        given = {safe_text(key, NAME_LIMIT): safe_text(value, NAME_LIMIT) for key, value in (labels or {}).items()}
        is_taken = self._put(
            Opening(
                type=name,
                rule=None,
                dedup_key=f"{name}:{self._who.environment}:{self._who.service}",
                severity=valid_severity(severity) or "high",
                message=self._redact(safe_text(message, MESSAGE_LIMIT)),
                context=valid_context(context),
                service=self._who.service,
                environment=self._who.environment,
                release=self._who.release,
                labels=dict(list(given.items())[:LABELS]),
                impact_started_at=datetime.fromtimestamp(SYSTEM.now_ms() / 1000, UTC),
            )
        )
        if not is_taken:
            logger.warning("otel-guard: guard.alerts.send(%r) opened nothing: incidents need OTEL_GUARD_DSN", name)
