"""What people read of alerts: incidents with those that are over, the messages of one, silences by their end."""

from typing import Final

import msgspec

from otel_guard.core.incident import Incident
from otel_guard.store.ask import Database, Row, ask

MOST: Final = 200
_WHOLE_ID: Final = 32
_HEX: Final = frozenset("0123456789abcdef")


def recent(database: Database) -> list[Incident]:
    """Open incidents, the worst first, then those that are over, the newest first; at most 200."""
    rows = ask(database, "incident_recent", {"most": MOST})
    values = ({name: value for name, value in row["incident"].items() if value is not None} for row in rows)
    return [msgspec.convert(each, Incident) for each in values]


def deliveries(database: Database, incident_id: str) -> list[Row]:
    """Its messages: `channel`, `kind`, `state`, `attempts`, `next_attempt_at`, `sent_at`, `last_status`, `last_error`."""
    return ask(database, "outbox_of_incident", {"incident_id": incident_id})


def silences(database: Database, ending: str) -> list[Row]:
    """Those that hold and whose id ends so."""
    wanted = ending.strip().lower().replace("-", "")
    if not wanted or len(wanted) > _WHOLE_ID or not set(wanted) <= _HEX:
        return []
    return ask(database, "silence_find", {"ending": wanted})
