"""The life of incidents: from what rules find, what cannot wait, and what people do."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Final

from otel_guard.alerts.beginnings import MESSAGE, Beginnings, Found, Opened
from otel_guard.alerts.following import Followed, Following
from otel_guard.alerts.notices import facts_of
from otel_guard.alerts.policy import Policy
from otel_guard.alerts.telling import Telling
from otel_guard.core.incident import RESOLUTIONS, Incident, Opening, State
from otel_guard.core.rule import Finding, Moment, Rule
from otel_guard.runtime.clock import SYSTEM, Clock
from otel_guard.runtime.text import safe_text
from otel_guard.store import incidents as store
from otel_guard.store.ask import Database

__all__ = ("Followed", "Incidents", "Opened", "Policy", "given_now")

_LIVE: Final[frozenset[State]] = frozenset({"firing", "acknowledged"})


class Incidents:
    """Changes rows, and writes their events and messages in the same transaction; keeps nothing in memory."""

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._clock = clock
        self._telling = Telling(policy)
        self._beginnings = Beginnings(self._telling)
        self._following = Following(self._beginnings, self._telling)

    def follow(self, database: Database, rule: Rule, findings: Sequence[Finding], moment: Moment) -> Followed:
        """Bring the incidents of *rule* up to what it found; what is open and not found is good.

        Not to be called for a rule that failed: its incidents stay.
        """
        return self._following.follow(database, rule, findings, moment)

    def let_go(self, database: Database, running: Collection[str], moment: Moment) -> int:
        """Resolve what rules opened that are none of *running*, names of those that are on; how many."""
        return self._following.let_go(database, running, moment)

    def open(self, database: Database, opening: Opening, now: datetime | None = None) -> Opened:
        """Open at once, or touch the incident that is open under its key."""
        database_now = store.begin_opening(database)
        at = now or given_now(self._clock) or database_now
        standing = store.standing(database, opening.dedup_key, at)
        return self._beginnings.open(database, Found(opening=opening, now=at), standing)

    def escalate(self, database: Database, now: datetime) -> int:
        """Tell the next steps of what nobody has acknowledged; how many messages."""
        return sum(
            self._telling.escalated(database, each, now, facts_of(each.facts)) for each in store.escalating(database)
        )

    def acknowledge(self, database: Database, incident_id: str, by: str, now: datetime | None = None) -> bool:
        """Somebody has it: no more steps; False: it does not fire."""
        incident, at = _found(database, incident_id, {"firing"}), self._now(database, now)
        moved = incident and store.move(database, "acknowledge", incident, now=at, by=by)
        if moved is not None:
            self._telling.acknowledged(database, moved, at, by)
        return moved is not None

    def resolve(
        self, database: Database, incident_id: str, by: str, resolution: str = "fixed", now: datetime | None = None
    ) -> bool:
        """End it by hand; False: it is not open. A rule that still finds it opens it again."""
        if resolution not in RESOLUTIONS:
            raise ValueError(f"{resolution!r} is no resolution: write one of {', '.join(RESOLUTIONS)}")
        incident, at = _found(database, incident_id, _LIVE), self._now(database, now)
        moved = incident and store.move(database, "resolve", incident, now=at, resolution=resolution)
        if moved is not None:
            self._telling.resolved(database, moved, at, by)
        return moved is not None

    def note(self, database: Database, incident_id: str, text: str, by: str, now: datetime | None = None) -> bool:
        """Add a line to its note, at any time; False: there is no such incident."""
        incident, clean = _found(database, incident_id, _LIVE | {"resolved"}), safe_text(text, MESSAGE)
        moved = incident and store.move(database, "note", incident, text=clean)
        if moved is not None:
            store.write_event(database, moved.id, "noted", self._now(database, now), actor=by, detail={"text": clean})
        return moved is not None

    def _now(self, database: Database, now: datetime | None) -> datetime:
        return now or given_now(self._clock) or store.database_now(database)


def given_now(clock: Clock) -> datetime | None:
    """The time of a clock that was brought along; None: the database's own holds."""
    return None if clock is SYSTEM else datetime.fromtimestamp(clock.now_ms() / 1000, UTC)


def _found(database: Database, incident_id: str, states: frozenset[State] | set[State]) -> Incident | None:
    return next((each for each in store.find(database, incident_id) if each.state in states), None)
