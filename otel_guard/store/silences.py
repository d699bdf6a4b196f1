"""Silences: messages of what they match wait, at most 30 days; incidents go on."""

from collections.abc import Mapping
from datetime import datetime

from otel_guard.core.exceptions import OtelGuardError
from otel_guard.store.ask import Database, Row, ask, run
from otel_guard.store.rows import json_text


class SilenceError(OtelGuardError):
    """A silence names what it matches and ends within 30 days."""


def add(
    database: Database,
    matchers: Mapping[str, str],
    ends_at: datetime,
    author: str | None,
    comment: str | None,
    *,
    now: datetime | None = None,
) -> str:
    """Hold the messages of incidents that have all *matchers* (rule, type, service, severity …, or a label); its id.

    Raises:
        SilenceError: it matches everything, or lasts more than 30 days.
    """
    if not matchers:
        raise SilenceError("a silence without matchers would hold everything: write K=V, such as rule=error_burst")
    values = {
        "matchers": json_text(dict(matchers)),
        "ends_at": ends_at,
        "author": author,
        "comment": comment,
        "now": now,
    }
    rows = ask(database, "silence_add", values)
    if not rows:
        raise SilenceError("a silence lasts at most 30 days: end it sooner")
    return str(rows[0]["id"])


def active(database: Database, now: datetime | None = None) -> list[Row]:
    """Those that hold: `id`, `matchers`, `ends_at`, `author`, `comment`; the next to end first."""
    return ask(database, "silence_active", {"now": now})


def end(database: Database, silence_id: str, now: datetime | None = None) -> bool:
    """End one now; False: it has ended, or never was."""
    return run(database, "silence_end", {"id": silence_id, "now": now}) > 0
