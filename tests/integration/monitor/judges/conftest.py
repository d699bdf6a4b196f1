"""Rows by how many seconds before noon they were written, and what a rule finds of them at noon."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from otel_guard.core.rule import Finding, Moment, Rule
from otel_guard.core.rules_builtin import RULES
from otel_guard.monitor.judging import judge
from otel_guard.runtime.clock import SYSTEM
from otel_guard.store.judging import asker
from otel_guard.store.lane import Lane
from tests.minutes import minute_row

Query = Callable[..., list[dict[str, object]]]

NOON = datetime(2025, 3, 3, 12, 0, tzinfo=UTC)
PLACE = {"code.file.path": "shop/orders.py", "code.line.number": 88, "code.function.name": "pay"}
BUILTIN = {rule.name: rule for rule in RULES}


def ago(seconds: float) -> datetime:
    return NOON - timedelta(seconds=seconds)


class World:
    """One database and the rules that look at it."""

    def __init__(self, query: Query, lane: Lane) -> None:
        self.query = query
        self.lane = lane
        self.ask = asker(lane)

    def insert(self, table: str, **row: object) -> None:
        names = ", ".join(row)
        marks = ", ".join(["%s"] * len(row))
        values = [json.dumps(value) if isinstance(value, dict) else value for value in row.values()]
        self.query(f"INSERT INTO otel_guard.{table} ({names}) VALUES ({marks})", *values)

    def error(self, seconds: float = 10, times: int = 1, **row: object) -> None:
        known: dict[str, object] = {
            "error_type": "sqlalchemy.exc.OperationalError",
            "message": "connection lost",
            "context": "database",
            "severity": "medium",
            "created_at": ago(seconds),
            "received_at": ago(seconds - 1),
            "service": "web",
            "environment": "production",
            "fingerprint": "f" * 16,
            "release": "r1",
            "metadata": {"place": PLACE},
        }
        for _ in range(times):
            self.insert("system_errors", **(known | row))

    def group(self, fingerprint: str = "f" * 16, **row: object) -> None:
        known: dict[str, object] = {
            "fingerprint": fingerprint,
            "title": "OperationalError: connection lost",
            "error_type": "sqlalchemy.exc.OperationalError",
            "severity": "high",
            "first_seen_at": ago(10),
            "last_seen_at": ago(10),
        }
        self.insert("error_groups", **(known | row))

    def slow(self, seconds: float = 10, ms: float = 1500, times: int = 1, **row: object) -> None:
        known: dict[str, object] = {
            "type": "database_query",
            "value": ms,
            "duration_ms": ms,
            "created_at": ago(seconds),
            "query_text": "SELECT * FROM orders WHERE id = ?",
            "table_name": "orders",
            "service": "web",
            "environment": "production",
            "metadata": {"place": PLACE},
        }
        for _ in range(times):
            self.insert("system_metrics", **(known | row))

    def minute(self, minutes: int = 1, n: int = 1, errors: int = 0, seconds: float = 0.1, **row: object) -> None:
        self.insert("metric_minutes", **minute_row(NOON - timedelta(minutes=minutes), n, errors, seconds, **row))

    def process(self, seconds: float = 10, detail: Mapping[str, object] | None = None, **row: object) -> None:
        known: dict[str, object] = {
            "name": "web",
            "instance": "web-1:7",
            "kind": "process",
            "service": "web",
            "environment": "production",
            "at": ago(seconds),
            "period_s": 60,
            "detail": dict(detail or {}),
        }
        self.insert("heartbeats", **(known | row))

    def status(self, name: str, status: str, seconds: float = 300, instance: str = "web-1:7", **row: object) -> None:
        known: dict[str, object] = {
            "name": name,
            "instance": instance,
            "status": status,
            "changed_at": ago(seconds),
            "checked_at": ago(5),
        }
        self.insert("dependency_status", **(known | row))

    def find(self, rule: Rule | str, gap_s: float = 15, later_s: float = 0, **changed: Any) -> list[Finding]:
        """What the rule finds *later_s* after noon; *changed* of the rule."""
        given = BUILTIN[rule] if isinstance(rule, str) else rule
        now = NOON + timedelta(seconds=later_s)
        moment = Moment(now=now, gap_s=gap_s, period_s=15, watched_since=now - timedelta(days=30))
        return judge(replace(given, **changed) if changed else given, self.ask, moment)

    def one(self, rule: Rule | str, gap_s: float = 15, later_s: float = 0, **changed: Any) -> Finding:
        (found,) = self.find(rule, gap_s, later_s, **changed)
        return found

    def state(self, rule: Rule | str, gap_s: float = 15, later_s: float = 0, **changed: Any) -> str:
        return self.one(rule, gap_s, later_s, **changed).state


@pytest.fixture
def world(dsn: str, query: Query) -> Iterator[World]:
    lane = Lane(dsn, SYSTEM)
    yield World(query, lane)
    lane.close()


def custom(**fields: Any) -> Rule:
    """A rule of the user's."""
    known: dict[str, Any] = {
        "name": "mine",
        "kind": "custom",
        "type": "mine",
        "severity": "medium",
        "window_s": 300.0,
        "is_builtin": False,
    }
    return Rule(**(known | fields))
