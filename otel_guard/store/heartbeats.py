"""The row in which a process says that it lives, and how its journal stands."""

from collections.abc import Mapping

from msgspec import Struct

from otel_guard.store.lane import Lane
from otel_guard.store.rows import json_text
from otel_guard.store.statements import statement


class Beat(Struct, frozen=True, kw_only=True):
    """A row of `heartbeats`; of a process, *detail* has `journal_bytes`, `oldest_s`, `dropped` and more."""

    name: str
    instance: str
    kind: str = "process"  # process, monitor, job
    service: str | None = None
    environment: str | None = None
    period_s: float | None = None
    detail: Mapping[str, object] = {}


def write_beat(lane: Lane, beat: Beat) -> None:
    """Write *beat* now, by the database's clock; raises as `Lane.transaction`."""
    with lane.transaction() as database:
        database.execute(
            statement("upsert_heartbeat"),
            {
                "name": beat.name,
                "instance": beat.instance,
                "kind": beat.kind,
                "service": beat.service,
                "environment": beat.environment,
                "period_s": beat.period_s,
                "detail": json_text(beat.detail),
            },
        )
