"""Inspections of the database itself, by what Postgres says of its clients."""

from datetime import timedelta
from typing import Final

from msgspec import Struct

from otel_guard.core import sql
from otel_guard.core.rule import Finding, Moment, Rule, severity_of
from otel_guard.monitor.judges._base import Ask, Row, finding, percent, span

_QUERY: Final = 2000


class Inspection(Struct, frozen=True, kw_only=True):
    """One thing that is looked at; *level* is the severity's step."""

    limit: float
    level: int
    is_share: bool = False
    said: str


INSPECTIONS: Final = {
    "connections": Inspection(limit=0.8, level=1, is_share=True, said="{value} of the {of} connections are in use"),
    "long_transaction": Inspection(limit=300, level=0, said="a transaction has been open for {value}{who}"),
    "idle_in_transaction": Inspection(limit=60, level=0, said="a connection idles in a transaction for {value}{who}"),
    "blocked_query": Inspection(limit=30, level=1, said="a query has been blocked for {value}{who}"),
    "replication_lag": Inspection(limit=60, level=0, said="a replica lags {value} behind{who}"),
    "transaction_ids": Inspection(
        limit=0.75,
        level=2,
        is_share=True,
        said="{value} of the transaction ids are used up in {database}: let vacuum run",
    ),
}
_QUESTIONS: Final = ("judge_pressure", "judge_pressure_replication", "judge_pressure_transactions")


def judge_database_pressure(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """One finding an inspection; *ask* goes to the database that is watched."""
    rows = [row for question in _QUESTIONS for row in ask(question, {"now": moment.now})]
    return [_finding(rule, moment, row) for row in rows if row["value"] is not None]


def _finding(rule: Rule, moment: Moment, row: Row) -> Finding:
    looked, value = INSPECTIONS[row["kind"]], max(row["value"], 0.0)
    return finding(
        rule,
        "bad" if value > looked.limit else "clear",
        round(value, 4),
        dimension=row["kind"],
        threshold=looked.limit,
        severity=severity_of(rule, looked.level),
        message=_message(looked, value, row),
        context="database",
        labels={"database": row["database"]},
        queries=_queries(value, row),
        started_at=moment.now if looked.is_share else moment.now - timedelta(seconds=value),
    )


def _message(looked: Inspection, value: float, row: Row) -> str:
    parts = (row.get("usename"), row.get("application_name"), f"pid {row['pid']}" if row.get("pid") else None)
    who = ", ".join(filter(None, parts))
    blockers = (row.get("blockers") or "").strip("{}")
    behind = f", by pid {blockers}" if blockers and row["kind"] == "blocked_query" else ""
    return looked.said.format(
        value=percent(value) if looked.is_share else span(value),
        of=row.get("blockers"),
        who=(f" ({who})" if who else "") + behind,
        database=row["database"],
    )


def _queries(value: float, row: Row) -> tuple[dict[str, object], ...]:
    """The statement without its literals: it comes from the server as it was sent."""
    if not row.get("query"):
        return ()
    text = sql.sanitize(row["query"])[:_QUERY]
    return ({"query": text, "duration": round(value * 1000), "table": sql.table(text), "place": None},)
