"""How the processes of a fleet see what they depend on: rows of `dependency_status` and what each counted."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from otel_guard.store.ask import Database, Row, ask, run
from otel_guard.store.rows import json_text

LIVE_S = 150.0


class StatusRow(Struct, frozen=True, kw_only=True):
    """One dependency as this process sees it."""

    name: str
    status: str
    source: str | None = None
    critical: bool = False
    latency_ms: float | None = None
    error_rate: float | None = None
    samples: int | None = None
    message: str | None = None
    changed_ms: int | None = None


class ChangeRow(Struct, frozen=True, kw_only=True):
    """A status that changed."""

    id: str
    name: str
    status: str
    previous: str | None
    at_ms: int


def write_statuses(database: Database, instance: str, rows: Sequence[StatusRow], changes: Sequence[ChangeRow]) -> None:
    """Write this process's rows, and what changed since the last time."""
    run(
        database,
        "health_upsert_statuses",
        {
            "instance": instance,
            "names": [row.name for row in rows],
            "statuses": [row.status for row in rows],
            "sources": [row.source for row in rows],
            "criticals": [row.critical for row in rows],
            "latencies": [row.latency_ms for row in rows],
            "rates": [row.error_rate for row in rows],
            "samples": [row.samples for row in rows],
            "messages": [row.message for row in rows],
            "changed": [_moment(row.changed_ms) for row in rows],
        },
    )
    if changes:
        run(
            database,
            "health_insert_changes",
            {
                "instance": instance,
                "ids": [change.id for change in changes],
                "names": [change.name for change in changes],
                "statuses": [change.status for change in changes],
                "previous": [change.previous for change in changes],
                "at": [_moment(change.at_ms) for change in changes],
            },
        )


def write_window(
    database: Database, *, service: str, environment: str, instance: str, period_s: float, window: Mapping[str, object]
) -> None:
    """Write what this process counted into its row of `heartbeats`."""
    run(
        database,
        "health_upsert_window",
        {
            "service": service,
            "environment": environment,
            "instance": instance,
            "period_s": period_s,
            "detail": json_text({"window": window}),
        },
    )


def live_statuses(database: Database, *, service: str | None = None, environment: str | None = None) -> list[Row]:
    """The rows of live processes: of one service, or of all."""
    return ask(database, "health_select_statuses", {"service": service, "environment": environment, "live_s": LIVE_S})


def live_windows(database: Database, *, service: str | None = None, environment: str | None = None) -> list[Row]:
    """The rows of live processes, with what each counted in `detail`, newest last."""
    return ask(database, "health_select_windows", {"service": service, "environment": environment, "live_s": LIVE_S})


def monitor_seen(database: Database) -> Row | None:
    """The newest heartbeat of a monitor: `age_s`, `period_s`, `retention_age_s`; None: there never was one."""
    return next(iter(ask(database, "health_select_monitor")), None)


def _moment(unix_ms: int | None) -> datetime | None:
    return None if unix_ms is None else datetime.fromtimestamp(unix_ms / 1000, UTC)
