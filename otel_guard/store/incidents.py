"""Incidents and their events; each arrow is one UPDATE that names the state it leaves."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from otel_guard.core.incident import Incident, Opening
from otel_guard.core.transition import Standing
from otel_guard.store.ask import Database, Row, ask, run
from otel_guard.store.rows import json_text

Arrow = Literal["fire", "raise", "reopen", "keep", "resolve", "acknowledge", "level", "note", "delete"]

_HEX: Final = frozenset("0123456789abcdef")
_WHOLE_ID: Final = 32


class Deployment(Struct, frozen=True):
    """What was deployed, and when."""

    release: str
    at: datetime


class Escalating(Struct, frozen=True):
    """A firing incident, since when, and what its last message told beside."""

    incident: Incident
    since: datetime
    facts: Mapping[str, Any]


def database_now(database: Database) -> datetime:
    """The database's clock."""
    now: datetime = ask(database, "incident_now")[0]["now"]
    return now


def begin_opening(database: Database) -> datetime:
    """Be ready to wait for other openers of the same key; the database's clock."""
    now: datetime = ask(database, "incident_begin")[0]["now"]
    return now


def standings(database: Database, rule: str, now: datetime | None = None) -> dict[str, Standing]:
    """By key: the open incidents of *rule*, and those that ended in the last 10 min."""
    return _standings(database, {"rule": rule, "dedup_key": None, "now": now})


def standing(database: Database, dedup_key: str, now: datetime | None = None) -> Standing | None:
    """The same of one key."""
    return _standings(database, {"rule": None, "dedup_key": dedup_key, "now": now}).get(dedup_key)


def open_or_touch(database: Database, incident_id: str, opening: Opening, now: datetime) -> tuple[Incident, bool]:
    """Open under *incident_id*, or count the occurrence of the one that is open; True: opened."""
    state = "pending" if opening.is_pending else "firing"
    row = ask(database, "incident_open", opening_values(opening) | {"id": incident_id, "state": state, "now": now})[0]
    return _incident(row), bool(row["opened"])


def move(database: Database, arrow: Arrow, incident: Incident, **values: object) -> Incident | None:
    """Change *incident* if it is still as it was read; None: somebody was faster."""
    was = {
        "incident_id": incident.id,
        "was": incident.state,
        "was_severity": incident.severity,
        "was_level": incident.escalation_level,
    }
    rows = ask(database, f"incident_{arrow}", was | values)
    return _incident(rows[0]) if rows else None


def opening_values(opening: Opening) -> dict[str, object]:
    """Its fields as parameters."""
    values: dict[str, object] = {name: getattr(opening, name) for name in opening.__struct_fields__}
    return values | {"queries": json_text(opening.queries), "labels": json_text(opening.labels)}


def write_event(
    database: Database,
    incident_id: str,
    kind: str,
    now: datetime,
    *,
    actor: str | None = None,
    detail: Mapping[str, object] | None = None,
) -> int:
    """Add to the incident's history; its number there."""
    values = {"incident_id": incident_id, "kind": kind, "actor": actor, "detail": json_text(detail or {}), "now": now}
    return int(ask(database, "incident_event", values)[0]["seq"])


def write_still(database: Database, incident_id: str, now: datetime) -> None:
    """Note that it was neither bad nor good just now."""
    run(database, "incident_still", {"incident_id": incident_id, "now": now})


def write_delivered(database: Database, ids: list[str], now: datetime | None = None) -> None:
    """A channel said yes: the first time counts."""
    run(database, "incident_delivered", {"ids": ids, "now": now})


def list_open(database: Database) -> list[Incident]:
    """All that are pending, firing or acknowledged, the worst first."""
    return [_incident(row) for row in ask(database, "incident_list_open")]


def find(database: Database, ending: str) -> list[Incident]:
    """Those whose id ends so, the newest first, at most 10."""
    wanted = ending.strip().lower().replace("-", "")
    if not wanted or len(wanted) > _WHOLE_ID or not set(wanted) <= _HEX:
        return []
    return [_incident(row) for row in ask(database, "incident_find", {"ending": wanted})]


def events(database: Database, incident_id: str) -> list[Row]:
    """Its history: `kind`, `actor`, `detail`, `at`."""
    return ask(database, "incident_events", {"incident_id": incident_id})


def rules_with_open(database: Database) -> list[str]:
    """Names of the rules that have an open incident."""
    return [row["rule"] for row in ask(database, "incident_rules")]


def escalating(database: Database) -> list[Escalating]:
    """Firing incidents that nobody has acknowledged and of which somebody was to hear."""
    rows = ask(database, "incident_escalating")
    return [Escalating(_incident(row), row["since"], row["facts"]) for row in rows]


def deployment_before(
    database: Database, service: str | None, environment: str | None, before: datetime
) -> Deployment | None:
    """The newest deployment of the 60 min before *before*."""
    values = {"service": service, "environment": environment, "before": before}
    rows = ask(database, "incident_deployment", values)
    return Deployment(rows[0]["release"], rows[0]["at"]) if rows else None


def _standings(database: Database, values: Mapping[str, object]) -> dict[str, Standing]:
    found: dict[str, Standing] = {}
    for row in ask(database, "incident_standings", values):
        read = Standing(incident=_incident(row), still_at=row["still_at"], ended_at=row["ended_at"])
        found.setdefault(read.incident.dedup_key, read)
    return found


def _incident(row: Row) -> Incident:
    """A null is a default: rows written by hand may lack a message."""
    given = {name: value for name, value in row["incident"].items() if value is not None}
    return msgspec.convert({"rule": None} | given, Incident)
