"""The row of a job: when it last ran well, how long it took, and how often it should."""

from typing import Final

from msgspec import Struct

from otel_guard.runtime.text import safe_text
from otel_guard.store.ask import Database, Row, ask, run
from otel_guard.store.rows import json_text

DEFAULT_S: Final = 86_400.0
NAME_LIMIT: Final = 200


class JobBeat(Struct, frozen=True, kw_only=True):
    """A job ran well *age_s* ago; without a period the stored one holds, else a day."""

    name: str
    service: str
    environment: str
    period_s: float | None = None
    duration_s: float | None = None
    age_s: float = 0.0


def write(database: Database, beat: JobBeat) -> None:
    """Write *beat*, by the database's clock, unless a newer one is stored."""
    detail = {} if beat.duration_s is None else {"duration_s": round(beat.duration_s, 3)}
    values = _key(beat.name, beat.service, beat.environment) | {
        "service": beat.service,
        "environment": beat.environment,
        "period_s": beat.period_s,
        "default_s": DEFAULT_S,
        "detail": json_text(detail),
        "age_s": max(beat.age_s, 0.0),
    }
    run(database, "job_upsert", values)


def stored(database: Database, name: str, service: str, environment: str) -> Row | None:
    """Its `name`, `service`, `environment`, `period_s`, `at`, `duration_s`; None: it never ran."""
    rows = ask(database, "job_select", _key(name, service, environment))
    return rows[0] if rows else None


def remove(database: Database, name: str, service: str, environment: str) -> bool:
    """End the watch over a job; False: there was none."""
    return run(database, "job_delete", _key(name, service, environment)) > 0


def _key(name: str, service: str, environment: str) -> dict[str, object]:
    return {"name": safe_text(name, NAME_LIMIT), "instance": safe_text(f"{service}:{environment}", NAME_LIMIT * 2)}
