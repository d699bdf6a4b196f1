"""Figures of calls, as `metrics` shows them: in seconds."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from otel_guard.core.classify import WEBHOOK_LAG
from otel_guard.core.quantile import points, quantile, weighted
from otel_guard.store.ask import Database, Row, ask

SLOW: Final = "database_query"  # the name of what comes from `system_metrics`
MOST: Final = 2000
P95: Final = 0.95


def figures(database: Database, since_s: float, now: datetime | None = None) -> list[Row]:
    """Name, context, system, operation, n, errors, avg, p95, max of the last *since_s*; of slow queries `errors` is None."""
    values = {"since_s": since_s, "most": MOST, "now": now}
    calls = [_figure(row) for row in ask(database, "metrics_minutes", values)]
    if any(row["name"] == WEBHOOK_LAG for row in calls):
        _improve_lags(calls, _lags(database, since_s, now))
    slow = ask(database, "metrics_slow", values)
    return calls + [{"name": SLOW, "context": "database", "errors": None} | row for row in slow]


def _figure(row: Mapping[str, Any]) -> Row:
    return {
        "name": row["name"],
        "context": row["context"],
        "system": row["system"],
        "operation": row["operation"],
        "n": row["n"],
        "errors": row["errors"],
        "avg": row["sum"] / row["n"],
        "p95": quantile(row["buckets"], P95, row["highest"]),
        "max": row["highest"],
    }


def _lags(database: Database, since_s: float, now: datetime | None) -> list[Row]:
    until = now or ask(database, "incident_now")[0]["now"]
    times = {"since": until - timedelta(seconds=since_s), "until": until, "recent": until}
    return ask(database, "judge_lags", times)


def _improve_lags(calls: Iterable[Row], minutes: Iterable[Row]) -> None:
    """A lag may be hours, which the buckets do not tell apart: its p95 comes from the sums of minutes, by provider."""
    known: dict[str, list[tuple[float, int]]] = {}
    for row in minutes:
        known.setdefault(row["system"], []).extend(points(int(row["n"]), row["sum"], row["highest"]))
    for row in calls:
        if row["name"] == WEBHOOK_LAG and row["system"] in known:
            row["p95"] = min(weighted(known[row["system"]], P95) or 0.0, row["max"])
