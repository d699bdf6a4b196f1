"""How an incident begins, comes back, grows worse or goes on."""

import math
from datetime import datetime
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from otel_guard.alerts.notices import Facts, remark
from otel_guard.alerts.telling import Beginning, Telling
from otel_guard.core.incident import Incident, Opening
from otel_guard.core.routing import MUTED
from otel_guard.core.transition import Standing, is_higher, may_reopen
from otel_guard.runtime.ids import uuid7
from otel_guard.runtime.text import safe_text
from otel_guard.store import incidents
from otel_guard.store.ask import Database

MESSAGE: Final = 8192
LINE: Final = 2000
Arrow = Literal["fire", "raise", "reopen"]
_KINDS: Final[dict[Arrow, Beginning]] = {"fire": "fired", "raise": "raised", "reopen": "reopened"}


class Opened(Struct, frozen=True):
    """An incident; new: it began, came back or grew worse just now, and its messages are written."""

    id: str
    is_new: bool


class Found(Struct, frozen=True, kw_only=True):
    """An opening, when, and since when the row that made it was in Postgres."""

    opening: Opening
    now: datetime
    ingested_at: datetime | None = None


class Beginnings:
    """Makes the changes that are bad news."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling

    def open(self, database: Database, found: Found, standing: Standing | None) -> Opened:
        """Open it, or touch what is open; *standing* is what was known of its key."""
        if standing is not None and may_reopen(standing, found.now):
            before = standing.incident
            if self.begin(database, "reopen", before, found):
                return Opened(before.id, is_new=True)
        facts = None
        if standing is None or standing.incident.state == "resolved":
            found, facts = _with_deployment(database, found, found.opening.impact_started_at or found.now)
        new_id = uuid7(int(found.now.timestamp() * 1000))
        incident, is_first = incidents.open_or_touch(database, new_id, cleaned(found.opening), found.now)
        if not is_first:
            return Opened(incident.id, is_new=self._touched(database, incident, found))
        if incident.state == "firing":
            self._telling.begun(database, incident, "fired", found.now, facts or Facts(top=found.opening.top))
        return Opened(incident.id, is_new=incident.state == "firing")

    def begin(self, database: Database, arrow: Arrow, incident: Incident, found: Found) -> bool:
        """Make it fire, or fire louder; False: somebody was faster."""
        found, facts = _with_deployment(database, found, incident.impact_started_at or found.now)
        values = incidents.opening_values(cleaned(found.opening)) | {
            "now": found.now,
            "is_higher": is_higher(found.opening.severity, incident.severity),
        }
        moved = incidents.move(database, arrow, incident, **values)
        if moved is None:
            return False
        self._telling.begun(database, moved, _KINDS[arrow], found.now, facts)
        return True

    def keep(self, database: Database, incident: Incident, found: Found) -> bool:
        """It is bad still; if another spoke for it that has ended, it is told now."""
        values = incidents.opening_values(cleaned(found.opening)) | {"now": found.now}
        moved = incidents.move(database, "keep", incident, **values)
        if moved is not None and moved.state == "firing" and moved.escalation_level == MUTED:
            _, facts = _with_deployment(database, found, incident.impact_started_at or found.now)
            self._telling.release(database, moved, found.now, facts)
        return moved is not None

    def _touched(self, database: Database, incident: Incident, found: Found) -> bool:
        if incident.state == "pending":
            return not found.opening.is_pending and self.begin(database, "fire", incident, found)
        return is_higher(found.opening.severity, incident.severity) and self.begin(database, "raise", incident, found)


def cleaned(opening: Opening) -> Opening:
    """What Postgres and JSON take: no NUL, no half characters, no NaN."""
    return replace(
        opening,
        value=_finite(opening.value),
        threshold=_finite(opening.threshold),
        message=safe_text(opening.message, MESSAGE),
        labels={safe_text(key, LINE): safe_text(value, LINE) for key, value in opening.labels.items()},
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _with_deployment(database: Database, found: Found, since: datetime) -> tuple[Found, Facts]:
    """Its release, if it named none, and the remark: from the newest deployment of the hour before *since*."""
    opening = found.opening
    deployment = incidents.deployment_before(database, opening.service, opening.environment, since)
    facts = Facts(
        top=tuple(safe_text(line, LINE) for line in opening.top),
        deployed=remark(deployment, since),
        ingested_at=found.ingested_at,
    )
    if deployment is not None and opening.release is None:
        found = replace(found, opening=replace(opening, release=deployment.release))
    return found, facts
