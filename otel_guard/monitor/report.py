"""The weekly report: made on Monday at 08:00, stored, and counted for any other week when asked."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from otel_guard.core.incident import Incident
from otel_guard.core.noise import noisiest
from otel_guard.core.response_times import counts, means, times_of
from otel_guard.core.week import Week, before, due_week, until_now
from otel_guard.core.weekly import (
    WEEKS,
    Alerts,
    Deployed,
    Figures,
    Group,
    Groups,
    IncidentLine,
    Report,
    SlowCall,
    Watch,
)
from otel_guard.store import deployments, reports
from otel_guard.store.ask import Database, Row

BEGINNINGS: Final = frozenset({"fired", "reopened", "raised", "released"})
OF_THE_WATCH: Final = frozenset({"monitor_offline", "rule_error", "rules_invalid", "channel_failing", "backlog"})


def due_report(database: Database, now: datetime, zone: tzinfo | None = None) -> bool:
    """Make and store the report of the last week if it is due, also when Monday 08:00 has passed unseen; False: it is not.

    *zone* None: the machine's. A week of which nothing was recorded gets none.
    """
    week = due_week(now, zone)
    if reports.is_stored(database, week.label) or not reports.is_known(database, week.since, week.until):
        return False
    reports.lock(database)
    if reports.is_stored(database, week.label):
        return False
    reports.store(database, counted(database, week, now, zone))
    return True


def counted(database: Database, week: Week, now: datetime, zone: tzinfo | None = None) -> Report:
    """Count *week*, as far as it has gone; only reads."""
    week = until_now(week, now)
    since, until = week.since, week.until
    incidents = reports.incidents(database, since, until)
    lines = tuple(_line(incident, events) for incident, events in incidents)
    return Report(
        week=week.label,
        since=since,
        until=until,
        made_at=now,
        figures=reports.figures(database, since, until),
        past=tuple(_past(database, each) for each in before(week, WEEKS, zone)),
        dropped=reports.dropped(database, since, until),
        groups=_groups(reports.groups(database, since, until), reports.oldest_critical(database, until)),
        slow=tuple(map(_slow, reports.slow(database, since, until))),
        alerts=Alerts(
            fired=len(lines),
            acted_on=sum(each.is_acted_on for each in lines),
            incidents=lines,
            noisiest=noisiest(lines),
            means=means((incident, _ingested_at(events)) for incident, events in incidents),
            excluded=sum(not counts(incident) for incident, _ in incidents),
        ),
        deployments=tuple(map(_deployed, deployments.effects(database, since, until))),
        watch=_watch(database, week, now, lines),
    )


def _past(database: Database, week: Week) -> Figures | None:
    """Of an earlier week, as its report says; without one it is counted. None: nothing was recorded."""
    if week.is_whole and (report := reports.stored(database, week.label)) is not None and report.is_whole:
        return report.figures
    if not reports.is_known(database, week.since, week.until):
        return None
    return reports.figures(database, week.since, week.until)


def _groups(rows: Sequence[Row], oldest: Row | None) -> Groups:
    return Groups(
        new=_chosen(rows, "new"),
        new_n=rows[0]["new_n"] if rows else 0,
        regressed=_chosen(rows, "regressed"),
        escalating=_chosen(rows, "escalating"),
        top=tuple(map(_group, _ordered((row for row in rows if row["users_place"] <= reports.SHOWN), "users"))),
        oldest_critical=_group(oldest) if oldest is not None else None,
    )


def _chosen(rows: Iterable[Row], kind: str) -> tuple[Group, ...]:
    found = (row for row in rows if row[f"is_{kind}"] and row[f"{kind}_place"] <= reports.SHOWN)
    return tuple(map(_group, _ordered(found, kind)))


def _ordered(rows: Iterable[Row], kind: str) -> list[Row]:
    return sorted(rows, key=lambda row: row[f"{kind}_place"])


def _group(row: Row) -> Group:
    known = {name: row[name] for name in Group.__struct_fields__ if row.get(name) is not None}
    title = str(known.get("title") or row["fingerprint"])
    return Group(**(known | {"title": title, "place": place(row.get("place"))}))


def _slow(row: Row) -> SlowCall:
    what = row["query_text"] or " ".join(filter(None, (row["system"], row["operation"]))) or row["type"]
    context = "database" if row["is_repeated"] else str(row["type"]).rpartition("_")[0]
    return SlowCall(
        what=" ".join(what.split()),
        context=context,
        table=row["table_name"],
        n=row["n"],
        p95=row["p95"],
        max=row["max"],
        place=place(row["place"]),
        is_repeated=row["is_repeated"],
    )


def _line(incident: Incident, events: Sequence[Row]) -> IncidentLine:
    took = times_of(incident, _ingested_at(events))
    return IncidentLine(
        id=incident.id,
        rule=incident.rule or incident.type,
        severity=incident.severity,
        state=incident.state,
        message=incident.message,
        service=incident.service,
        fired_at=incident.fired_at,
        detect_s=took.detect_s,
        acknowledge_s=took.acknowledge_s,
        resolve_s=took.resolve_s,
        acknowledged_by=incident.acknowledged_by,
        resolution=incident.resolution,
        note=incident.note,
        value=_worst(incident, events),
        threshold=incident.threshold,
    )


def _ingested_at(events: Iterable[Row]) -> datetime | None:
    """When the row that made it fire was in Postgres: of its first beginning, for which detection is measured."""
    first = next((event for event in events if event["kind"] in BEGINNINGS), None)
    return _moment(first["detail"].get("ingested_at")) if first is not None else None


def _worst(incident: Incident, events: Iterable[Row]) -> float | None:
    """The value farthest beyond the limit: the row has only the last one."""
    told = (event["detail"].get("value") for event in events)
    known = [float(value) for value in (*told, incident.value) if isinstance(value, int | float)]
    if not known:
        return None
    is_below = incident.threshold is not None and known[0] < incident.threshold
    return min(known) if is_below else max(known)


def _deployed(row: Row) -> Deployed:
    return Deployed(**{name: row[name] for name in Deployed.__struct_fields__})


def _watch(database: Database, week: Week, now: datetime, lines: Sequence[IncidentLine]) -> Watch:
    seen = reports.monitor(database, now)
    detail = seen["detail"] or {}
    failing = detail.get("failing")
    return Watch(
        last_cycle_at=seen["at"],
        period_s=seen["period_s"],
        watched_since=_moment(detail.get("watched_since")),
        rules=detail.get("rules"),
        seconds=detail.get("seconds"),
        failing=tuple(sorted(failing)) if isinstance(failing, dict) else (),
        retention_at=_moment(detail.get("retention_at")),
        gaps=tuple(line for line in lines if line.rule in OF_THE_WATCH),
        messages=reports.messages(database, week.since, week.until),
    )


def _moment(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found.astimezone(UTC) if found is not None and found.tzinfo is not None else None


def place(value: object) -> str | None:
    """`metadata.place` as file:line."""
    if not isinstance(value, dict):
        return str(value) if value else None
    parts = {str(key).rpartition("code.")[2]: part for key, part in value.items()}
    file, line = parts.get("file.path"), parts.get("line.number")
    return f"{file}:{line}" if file is not None else ":".join(str(part) for part in value.values())
