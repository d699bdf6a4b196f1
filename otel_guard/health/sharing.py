"""What this process tells the others by Postgres, and what they tell; used by the thread that owns the connection."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import msgspec
from msgspec import Struct

from otel_guard.core.passive import Verdict
from otel_guard.core.traffic import Counters
from otel_guard.health.checks.monitor import MonitorSeen
from otel_guard.health.judging import MOST_CHANGES, Change
from otel_guard.runtime.clock import Clock
from otel_guard.runtime.ids import uuid7
from otel_guard.store import dependencies
from otel_guard.store.ask import Database, Row
from otel_guard.store.dependencies import ChangeRow, StatusRow

WRITE_S: Final = 60.0
READ_S: Final = 15.0  # while somebody asks
ASKED_S: Final = 60.0
Transaction = Callable[[], AbstractContextManager[Database]]


class Sibling(Struct, frozen=True, kw_only=True):
    """Another process of this service."""

    verdicts: Mapping[str, Verdict]
    counters: Counters | None = None


class Fleet(Struct, frozen=True, kw_only=True):
    """What Postgres knew at *at_s* (monotonic)."""

    siblings: tuple[Sibling, ...]
    monitor: MonitorSeen | None
    at_s: float


class Own(Struct, frozen=True, kw_only=True):
    """What this process tells."""

    rows: Sequence[StatusRow]
    changes: Sequence[Change]
    counters: Counters


class Sharing:
    """Writes on change, else each 60 s; reads with that, and each 15 s while somebody asks for the health."""

    def __init__(
        self, service: str, environment: str, instance: Callable[[], str], own: Callable[[], Own | None], clock: Clock
    ) -> None:
        """*own* is None as long as nothing is known."""
        self.fleet: Fleet | None = None
        self._service = service
        self._environment = environment
        self._instance = instance
        self._own = own
        self._clock = clock
        self._wrote_at: float | None = None
        self._asked_at = float("-inf")
        self._is_changed = False
        self._unwritten: list[ChangeRow] = []

    def changed(self) -> None:
        """A status changed: write soon."""
        self._is_changed = True

    def asked(self) -> None:
        """Somebody wants to know; called in the application's threads."""
        self._asked_at = self._clock.monotonic()

    def live(self) -> Fleet | None:
        """What the others said, if it is fresh enough."""
        fleet = self.fleet
        return fleet if fleet is not None and self._clock.monotonic() - fleet.at_s < dependencies.LIVE_S else None

    def tend(self, transaction: Transaction) -> None:
        """Write and read what is due; raises as the transaction does, and tries again at the next call."""
        now = self._clock.monotonic()
        is_due = self._is_changed or self._wrote_at is None or now - self._wrote_at >= WRITE_S
        own = self._own() if is_due else None
        is_asked = now - self._asked_at < ASKED_S and (self.fleet is None or now - self.fleet.at_s >= READ_S)
        if own is None and not is_asked:
            return
        self._keep(own.changes if own is not None else ())
        was_changed, self._is_changed = self._is_changed and own is not None, self._is_changed and own is None
        try:
            with transaction() as database:
                if own is not None:
                    self._write(database, own)
                self.fleet = self._read(database, now)
        except BaseException:
            self._is_changed |= was_changed
            raise
        if own is not None:
            self._wrote_at = now
            self._unwritten = []

    def forget(self) -> None:
        """In a forked child."""
        self.fleet, self._wrote_at, self._unwritten, self._is_changed = None, None, [], False

    def _keep(self, changes: Sequence[Change]) -> None:
        now_ms = self._clock.now_ms()
        rows = [ChangeRow(id=uuid7(now_ms), **msgspec.structs.asdict(change)) for change in changes]
        self._unwritten = [*self._unwritten, *rows][-MOST_CHANGES:]

    def _write(self, database: Database, own: Own) -> None:
        dependencies.write_window(
            database,
            service=self._service,
            environment=self._environment,
            instance=self._instance(),
            period_s=WRITE_S,
            window=msgspec.to_builtins(own.counters),
        )
        dependencies.write_statuses(database, self._instance(), own.rows, self._unwritten)

    def _read(self, database: Database, now: float) -> Fleet:
        mine = self._instance()
        where = {"service": self._service, "environment": self._environment}
        verdicts = by_instance(dependencies.live_statuses(database, **where))
        counters = {row["instance"]: counters_of(row["detail"]) for row in dependencies.live_windows(database, **where)}
        seen = dependencies.monitor_seen(database)
        return Fleet(
            siblings=tuple(
                Sibling(verdicts=verdicts.get(instance, {}), counters=counters.get(instance))
                for instance in dict.fromkeys([*counters, *verdicts])
                if instance != mine
            ),
            monitor=monitor_of(seen),
            at_s=now,
        )


def by_instance(rows: Sequence[Row]) -> dict[str, dict[str, Verdict]]:
    """The verdicts of each process."""
    found: dict[str, dict[str, Verdict]] = {}
    for row in rows:
        found.setdefault(row["instance"], {})[row["name"]] = verdict_of(row)
    return found


def verdict_of(row: Row) -> Verdict:
    """One row as a verdict."""
    names = ("status", "source", "message", "latency_ms", "error_rate", "samples")
    return Verdict(**{name: row[name] for name in names})


def counters_of(detail: Any) -> Counters | None:
    """What a process counted, from `heartbeats.detail`; None if another release wrote it otherwise."""
    try:
        return msgspec.convert(detail.get("window"), Counters)
    except msgspec.ValidationError:
        return None


def monitor_of(row: Row | None) -> MonitorSeen | None:
    """The monitor's row as a value."""
    if row is None:
        return None
    return MonitorSeen(age_s=row["age_s"], period_s=row["period_s"] or 0.0, retention_age_s=row["retention_age_s"])
