"""The sections of the weekly report."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from statistics import median
from typing import Any, Final

from otel_guard.core.response_times import means
from otel_guard.core.week import Week
from otel_guard.monitor.judges._base import place
from otel_guard.monitor.report_noise import noisiest
from otel_guard.monitor.weeks import watched
from otel_guard.store import reports
from otel_guard.store.ask import Row
from otel_guard.store.reports import Fired, Questions

LISTED: Final = 10
QUERIES: Final = 10
INCIDENTS: Final = 500
SHOWN: Final = 30
FACTOR: Final = 3  # times the mean of the weeks before
LEAST: Final = 20  # errors, under which nothing escalates
N_PLUS_ONE: Final = "n_plus_one"
_TEXT: Final = 300
_COMPARED: Final = ("n", "rate", "users")
_INCIDENT: Final = (
    *("id", "type", "rule", "severity", "service", "environment", "message", "state", "value", "threshold"),
    *("occurrences", "impact_started_at", "fired_at", "acknowledged_by", "resolved_at", "resolution", "note"),
)

Span = Mapping[str, object]


def began(ask: Questions) -> datetime | None:
    """Since when anything is known."""
    rows = ask.rows("report_began", {})
    return rows[0]["at"] if rows else None


def errors(ask: Questions, span: Span) -> dict[str, Any]:
    """How many, and the share of requests that failed; None: there was no request."""
    rows = ask.rows("report_errors", span)
    if not rows:
        return {"n": None, "requests": None, "failed": None, "rate": None}
    row = rows[0]
    return dict(row) | {"rate": row["failed"] / row["requests"] if row["requests"] else None}


def users(ask: Questions, span: Span) -> int | None:
    """How many users met an error."""
    rows = ask.rows("report_users", span)
    return rows[0]["users"] if rows else None


def dropped(ask: Questions, span: Span) -> list[Row] | None:
    """What was not kept: reason, kind, n."""
    return ask.rows("report_drops", span)


def compared(history: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Last week, and the median of the known ones of four."""
    return {
        "last_week": {key: history[0].get(key) for key in _COMPARED} if history else None,
        "median": {key: _median([each.get(key) for each in history]) for key in _COMPARED} if history else None,
        "weeks": len(history),
    }


def groups(ask: Questions, span: Span, known: Sequence[Week]) -> dict[str, Any]:
    """New, regressed, escalating; the top ten by users; the oldest critical; how many `users` met any."""
    earlier = {"weeks": len(known), "known_since": known[-1].since if known else span["since"]}
    limits = {"factor": FACTOR, "least": LEAST, "most": LISTED}
    rows = ask.rows("report_groups", {**span, **earlier, **limits})
    top = ask.rows("report_top", {**span, "most": LISTED})
    oldest = ask.rows("report_oldest", span)
    return {
        **_listed(rows),
        "top": None if top is None else [_group(row) for row in top],
        "oldest_critical": _group(oldest[0]) if oldest else None,
        "users": None if top is None else top[0]["all_users"] if top else users(ask, span),
    }


def slow(ask: Questions, span: Span, last_week: Week) -> dict[str, Any]:
    """Slow queries and N+1, with their place, and how many slow calls there were."""
    kinds = ask.rows("report_slow_kinds", span)
    earlier = ask.rows("report_slow_kinds", {"since": last_week.since, "until": last_week.until})
    queries = ask.rows("report_slow", {**span, "most": QUERIES})
    repeated = ask.rows("report_n_plus_one", {**span, "most": QUERIES})
    return {
        "kinds": kinds,
        "last_week": None if earlier is None else {row["type"]: row["n"] for row in earlier},
        "queries": None if queries is None else [_query(row) for row in queries],
        "n_plus_one": None if repeated is None else [_query(row) for row in repeated],
    }


def incidents(ask: Questions, span: Span) -> dict[str, Any]:
    """Those that fired, with notes; how many were acted on; the noisiest rule; MTTD, MTTA, MTTR."""
    rows = ask.rows("report_incidents", {**span, "most": INCIDENTS})
    if rows is None:
        return {"fired": None, "acted_on": None, "listed": [], "noisiest": None, "times": {}}
    fired = reports.fired(rows)
    return {
        "fired": len(fired),
        "acted_on": sum(each.is_acted_on for each in fired),
        "listed": [_incident(each) for each in fired[:SHOWN]],
        "noisiest": noisiest(fired),
        "times": means((each.incident, each.ingested_at) for each in fired),
    }


def deployments(ask: Questions, span: Span) -> list[Row] | None:
    """What was deployed, and what changed in the hour after."""
    return ask.rows("deploy_recent", {**span, "most": LISTED})


def monitor(ask: Questions, span: Span, week: Week, now: datetime) -> dict[str, Any]:
    """Cycles and gaps of the week, and what the channels were sent."""
    seen = ask.rows("monitor_seen", {"now": now})
    last = seen[0] if seen else {"at": None, "period_s": None, "detail": None}
    messages = ask.rows("report_messages", span)
    counts = watched(last["detail"] or {}).get(week.label)
    return {
        "last_cycle_at": last["at"],
        "period_s": last["period_s"],
        "watched": counts,  # cycles, gaps, gap_s, longest_s; None: nobody counted
        "messages": messages,
    }


def _listed(rows: Sequence[Row] | None) -> dict[str, Any]:
    """A kind that is new, or back, is not called escalating too."""
    if rows is None:
        return dict.fromkeys(("new", "new_n", "regressed", "regressed_n", "escalating", "escalating_n"))
    first = rows[0] if rows else {"new_n": 0, "back_n": 0, "escalating_n": 0}
    return {
        "new": [_group(row) for row in rows if row["is_new"]],
        "new_n": first["new_n"],
        "regressed": [_group(row) for row in rows if row["is_back"] and not row["is_new"]],
        "regressed_n": first["back_n"],
        "escalating": [_group(row) for row in rows if row["is_escalating"] and not row["is_back"]],
        "escalating_n": first["escalating_n"],
    }


def _group(row: Row) -> dict[str, Any]:
    keys = ("fingerprint", "severity", "context", "state", "n", "users", "mean", "first_seen_at", "last_seen_at")
    kept = {key: row[key] for key in keys if key in row}
    title = " ".join(str(row["title"] or row["error_type"] or "").split())[:_TEXT]
    return kept | {"title": title, "place": place(row.get("place"))}


def _query(row: Row) -> dict[str, Any]:
    text = " ".join(str(row["query"]).split())[:_TEXT]
    return dict(row) | {"query": text, "place": place(row["place"])}


def _incident(each: Fired) -> dict[str, Any]:
    columns = {key: getattr(each.incident, key) for key in _INCIDENT}
    return columns | {"message": columns["message"][:_TEXT], "is_acted_on": each.is_acted_on}


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
