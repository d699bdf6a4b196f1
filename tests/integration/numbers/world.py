"""Rows of a week, for the tests of its figures."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tests.minutes import minute_row

Query = Callable[..., list[dict[str, object]]]

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)  # of 2026-W47
NEXT = MONDAY + timedelta(days=7, hours=8)  # when its report is due
PLACE = {"code.file.path": "shop/orders.py", "code.line.number": 88, "code.function.name": "pay"}


class World:
    """A database, and a moment from which its rows count."""

    def __init__(self, query: Query, start: datetime = MONDAY) -> None:
        self.query = query
        self.start = start

    def at(self, hours: float) -> datetime:
        return self.start + timedelta(hours=hours)

    def insert(self, table: str, **row: object) -> None:
        names, marks = ", ".join(row), ", ".join(["%s"] * len(row))
        values = [json.dumps(value) if isinstance(value, dict) else value for value in row.values()]
        self.query(f"INSERT INTO otel_guard.{table} ({names}) VALUES ({marks})", *values)

    def errors(self, fingerprint: str, hours: float, n: int = 1, user: str | None = None, **row: object) -> None:
        """One row that counts *n* times, with its hour and its group."""
        at = self.at(hours)
        known: dict[str, object] = {
            "error_type": "sqlalchemy.exc.OperationalError",
            "message": "connection lost",
            "context": "database",
            "severity": "high",
            "created_at": at,
            "received_at": at,
            "repeat_count": n,
            "user_id": user,
            "service": "web",
            "environment": "production",
            "fingerprint": fingerprint,
            "metadata": {"place": PLACE},
        }
        self.insert("system_errors", **(known | row))
        self.query(
            "INSERT INTO otel_guard.error_hours (hour, service, environment, fingerprint, n)"
            " VALUES (date_trunc('hour', %s::timestamptz), 'web', 'production', %s, %s)"
            " ON CONFLICT (hour, service, environment, fingerprint) DO UPDATE SET n = error_hours.n + excluded.n",
            at,
            fingerprint,
            n,
        )

    def group(self, fingerprint: str, hours: float, **row: object) -> None:
        known: dict[str, object] = {
            "fingerprint": fingerprint,
            "title": "OperationalError: connection lost",
            "error_type": "sqlalchemy.exc.OperationalError",
            "context": "database",
            "severity": "high",
            "first_seen_at": self.at(hours),
            "last_seen_at": self.at(hours),
        }
        self.insert("error_groups", **(known | row))

    def minute(self, hours: float, n: int = 1, errors: int = 0, seconds: float = 0.1, **row: object) -> None:
        self.insert(
            "metric_minutes", **minute_row(self.at(hours).replace(second=0, microsecond=0), n, errors, seconds, **row)
        )

    def slow(self, hours: float, ms: float = 1500, /, **row: object) -> None:
        known: dict[str, object] = {
            "type": "database_query",
            "value": ms,
            "duration_ms": ms,
            "created_at": self.at(hours),
            "query_text": "SELECT * FROM orders WHERE id = ?",
            "table_name": "orders",
            "system": "postgresql",
            "operation": "SELECT orders",
            "service": "web",
            "environment": "production",
            "metadata": {"place": PLACE},
        }
        self.insert("system_metrics", **(known | row))

    def repeated(self, hours: float, times: int, **row: object) -> None:
        """An N+1 finding, as the capture writes it."""
        known: dict[str, object] = {"type": "n_plus_one", "value": times, "duration_ms": None, "route": "/cart"}
        self.slow(hours, times, **(known | {"query_text": None, "operation": "SELECT items"} | row))

    def incident(self, hours: float, *, lasted_s: float = 600, told_s: float = 30, **row: object) -> str:
        """One that fired, was told and is over; *hours* is when its impact began."""
        at, key = self.at(hours), str(uuid.uuid4())
        known: dict[str, object] = {
            "id": key,
            "state": "resolved",
            "type": "high_error_rate",
            "rule": "error_burst",
            "dedup_key": f"error_burst:production:web:{key}",
            "severity": "high",
            "message": "12 errors in last 5 minutes",
            "service": "web",
            "environment": "production",
            "value": 12,
            "threshold": 10,
            "impact_started_at": at,
            "fired_at": at + timedelta(seconds=told_s - 1),
            "first_delivered_at": at + timedelta(seconds=told_s),
            "resolved_at": at + timedelta(seconds=lasted_s),
        }
        self.insert("incidents", **(known | row))
        return key

    def event(self, incident_id: str, kind: str, hours: float, **row: object) -> None:
        self.insert("incident_events", incident_id=incident_id, kind=kind, at=self.at(hours), **row)

    def deployed(self, hours: float, release: str, **row: object) -> None:
        known: dict[str, object] = {"service": "web", "environment": "production", "release": release}
        self.insert("deployments", **(known | {"at": self.at(hours)} | row))

    def heartbeat(self, hours: float, **row: object) -> None:
        known: dict[str, object] = {
            "name": "web",
            "instance": "web-1:7",
            "kind": "process",
            "service": "web",
            "environment": "production",
            "at": self.at(hours),
            "period_s": 60,
            "detail": {},
        }
        self.insert("heartbeats", **(known | row))
