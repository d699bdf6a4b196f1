"""Incidents follow what their rules find."""

from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec import Struct

from otel_guard.alerts.beginnings import Beginnings, Found
from otel_guard.alerts.telling import Telling
from otel_guard.core import transition
from otel_guard.core.incident import Incident
from otel_guard.core.rule import Finding, Moment, Rule, dedup_key
from otel_guard.core.transition import Move, Standing
from otel_guard.store import incidents
from otel_guard.store.ask import Database


class Followed(Struct, frozen=True):
    """How many incidents of a rule began, and how many ended."""

    fired: int
    resolved: int


class Following:
    """Makes the change that each finding asks for."""

    def __init__(self, beginnings: Beginnings, telling: Telling) -> None:
        self._beginnings = beginnings
        self._telling = telling

    def follow(self, database: Database, rule: Rule, findings: Sequence[Finding], moment: Moment) -> Followed:
        """Bring the incidents of *rule* up to what it found."""
        found: dict[str, list[Finding]] = {}
        for finding in findings:
            found.setdefault(dedup_key(finding), []).append(finding)
        standings = incidents.standings(database, rule.name, moment.now)
        fired = resolved = 0
        for key in sorted(standings.keys() | found.keys()):  # in one order in all processes: no deadlock
            worst = transition.worst(found[key]) if key in found else None
            move = transition.next_move(standings.get(key), worst, rule, moment.now)
            if worst is not None and worst.state == "bad":
                is_done = self._bad(database, move, standings.get(key), rule, worst, moment.now)
            else:
                is_done = self._good(database, move, standings.get(key), moment.now)
            fired += is_done and move in {"open", "fire", "reopen"}
            resolved += is_done and move == "resolve"
        return Followed(fired, resolved)

    def let_go(self, database: Database, running: Collection[str], moment: Moment) -> int:
        """Resolve what was opened by rules that are none of *running*."""
        gone = [name for name in incidents.rules_with_open(database) if name not in running]
        rules = [Rule(name=name, kind="gone", type=name, severity="low") for name in gone]
        return sum(self.follow(database, rule, (), moment).resolved for rule in rules)

    def _bad(
        self, database: Database, move: Move, standing: Standing | None, rule: Rule, finding: Finding, now: datetime
    ) -> bool:
        found = Found(opening=transition.opening(rule, finding), now=now, ingested_at=finding.ingested_at)
        if standing is None or move == "open":
            return self._beginnings.open(database, found, standing).is_new
        match move:
            case "fire" | "raise" | "reopen":
                return self._beginnings.begin(database, move, standing.incident, found)
            case _:
                return self._beginnings.keep(database, standing.incident, found)

    def _good(self, database: Database, move: Move, standing: Standing | None, now: datetime) -> bool:
        if standing is None:
            return False
        match move:
            case "still":
                incidents.write_still(database, standing.incident.id, now)
                return True
            case "delete":
                return incidents.move(database, "delete", standing.incident) is not None
            case "resolve":
                return self._resolve(database, standing.incident, now)
        return False

    def _resolve(self, database: Database, incident: Incident, now: datetime) -> bool:
        ended = incidents.move(database, "resolve", incident, now=now, resolution=None)
        if ended is not None:
            self._telling.resolved(database, ended, now, None)
        return ended is not None
