"""Who is told of a change: its event and its messages, in the transaction of the change."""

from datetime import datetime
from typing import Literal

import msgspec

from otel_guard.alerts.notices import Facts, notice
from otel_guard.alerts.policy import Policy
from otel_guard.core.incident import Event, Incident
from otel_guard.core.routing import MUTED, due, inhibitor
from otel_guard.store import incidents, outbox
from otel_guard.store.ask import Database

Beginning = Literal["fired", "reopened", "raised", "released"]


class Telling:
    """Writes events and outbox rows."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def begun(self, database: Database, incident: Incident, kind: Beginning, now: datetime, facts: Facts) -> int:
        """It fires, again, or worse: the first step hears, unless another incident speaks for it. How many messages."""
        detail = msgspec.to_builtins(facts) | {"severity": incident.severity, "value": incident.value}
        seq = incidents.write_event(database, incident.id, kind, now, detail=detail)
        others = incidents.list_open(database)
        speaker = inhibitor(incident, others)
        if speaker is not None:
            self._mute(database, incident, speaker, now)
            return 0
        level, channels = due(self._policy.steps(incident), 0, 0.0)
        incidents.move(database, "level", incident, level=level)
        event: Event = "raised" if kind == "raised" else "fired"
        written = outbox.add(database, notice(self._policy, event, incident, now, facts), seq, channels)
        self._take_over(database, incident, others, now)
        return written

    def release(self, database: Database, incident: Incident, now: datetime, facts: Facts) -> int:
        """It is still bad, and who spoke for it may have ended: then it speaks for itself."""
        if inhibitor(incident, incidents.list_open(database)) is not None:
            return 0
        return self.begun(database, incident, "released", now, facts)

    def escalated(self, database: Database, open_one: incidents.Escalating, now: datetime, facts: Facts) -> int:
        """Tell the steps that are due by *now*; how many messages."""
        incident = open_one.incident
        since_s = (now - open_one.since).total_seconds()
        level, channels = due(self._policy.steps(incident), incident.escalation_level, since_s)
        if level == incident.escalation_level:
            return 0
        moved = incidents.move(database, "level", incident, level=level)
        if moved is None:
            return 0
        seq = incidents.write_event(database, incident.id, "escalated", now, detail={"level": level})
        return outbox.add(database, notice(self._policy, "escalated", moved, now, facts), seq, channels)

    def resolved(self, database: Database, incident: Incident, now: datetime, by: str | None) -> int:
        """Tell those who heard that it fires."""
        detail = {"resolution": incident.resolution}
        seq = incidents.write_event(database, incident.id, "resolved", now, actor=by, detail=detail)
        channels = outbox.told_channels(database, incident.id)
        return outbox.add(database, notice(self._policy, "resolved", incident, now, Facts()), seq, channels)

    def acknowledged(self, database: Database, incident: Incident, now: datetime, by: str) -> None:
        """Nobody need be called any more."""
        incidents.write_event(database, incident.id, "acknowledged", now, actor=by)
        outbox.drop(database, [incident.id], "escalated")

    def _mute(self, database: Database, incident: Incident, speaker: Incident, now: datetime) -> None:
        if incident.escalation_level != MUTED:
            incidents.move(database, "level", incident, level=MUTED)
        detail = {"by": speaker.id, "rule": speaker.rule}
        incidents.write_event(database, incident.id, "inhibited", now, detail=detail)

    def _take_over(self, database: Database, speaker: Incident, others: list[Incident], now: datetime) -> None:
        """What nobody has heard of yet, and *speaker* speaks for, is not told."""
        firing = {other.id: other for other in others if other.state == "firing" and other.id != speaker.id}
        spoken_for = [key for key, other in firing.items() if inhibitor(other, [speaker]) is not None]
        for key in outbox.unheard(database, spoken_for):
            outbox.drop(database, [key], "fired")
            self._mute(database, firing[key], speaker, now)
