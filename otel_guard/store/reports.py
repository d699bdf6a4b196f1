"""Weekly reports: what they ask, each question for itself, and where they are kept."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from psycopg.errors import QueryCanceled

from otel_guard.core.incident import Incident
from otel_guard.runtime.clock import Clock
from otel_guard.store.ask import Database, Row, ask, run
from otel_guard.store.rows import json_text

_LEAST_MS: Final = 50


class Questions:
    """Asks within a transaction, each statement in a savepoint: what takes too long is missing, the rest is there."""

    def __init__(self, database: Database, clock: Clock, *, each_ms: int, all_s: float) -> None:
        """No statement takes more than *each_ms*, all together hardly more than *all_s*."""
        self.missing: list[str] = []
        self._database = database
        self._clock = clock
        self._each_ms = each_ms
        self._until = clock.monotonic() + all_s

    def rows(self, name: str, values: Mapping[str, object]) -> list[Row] | None:
        """The rows of `sql/<name>.sql`; None: it took too long, and stands in `missing`."""
        left_ms = int((self._until - self._clock.monotonic()) * 1000)
        if left_ms >= _LEAST_MS:
            try:
                with self._savepoint():
                    run(self._database, "report_limits", {"statement_ms": min(self._each_ms, left_ms)})
                    return ask(self._database, name, values)
            except QueryCanceled:
                pass
        if name not in self.missing:
            self.missing.append(name)
        return None

    def _savepoint(self) -> AbstractContextManager[Any]:
        return self._database.transaction()


class Fired(Struct, frozen=True, kw_only=True):
    """An incident of the week, when the row that made its rule fire was in Postgres, and whether a person acted."""

    incident: Incident
    ingested_at: datetime | None
    is_acted_on: bool


def fired(rows: Sequence[Row]) -> list[Fired]:
    """Rows of `report_incidents` as values."""
    return [
        Fired(incident=_incident(row["incident"]), ingested_at=row["ingested_at"], is_acted_on=row["is_acted_on"])
        for row in rows
    ]


def is_due(database: Database, week: str, until: datetime) -> bool:
    """Whether the report on *week*, which ended at *until*, is to be made, and by this transaction."""
    row = ask(database, "report_due", {"week": week, "until": until})[0]
    return bool(row["is_known"] and not row["is_stored"] and ask(database, "report_lock")[0]["is_ours"])


def store(database: Database, report_id: str, week: str, body: Mapping[str, object], now: datetime) -> bool:
    """Keep it; False: there is one."""
    values = {"id": report_id, "week": week, "body": json_text(body), "now": now}
    return run(database, "report_insert", values) > 0


def stored(database: Database, weeks: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The reports that are kept on these weeks, by week."""
    return {row["week"]: row["body"] for row in ask(database, "report_find", {"weeks": list(weeks)})}


def _incident(columns: Mapping[str, object]) -> Incident:
    """A null is a default."""
    return msgspec.convert(
        {"rule": None} | {name: value for name, value in columns.items() if value is not None}, Incident
    )
