"""Store the records of a journal: one transaction a batch, safe to run twice."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar

from psycopg import Connection
from psycopg.rows import TupleRow

from otel_guard.core.record import Amendment, CallStats, Drops, ErrorRecord, Head, Record, Repeat, SlowCall
from otel_guard.runtime.clock import Clock
from otel_guard.runtime.ids import uuid7
from otel_guard.store.amendments import Change, by_key, change_columns, change_of, group_columns
from otel_guard.store.lane import Lane
from otel_guard.store.late import Late
from otel_guard.store.minutes import minute_columns
from otel_guard.store.rows import Columns, drop_columns, error_columns, head_values, slow_columns
from otel_guard.store.statements import statement

NO_ROW: Final = "no_row"  # the reason of an amendment whose row never came
R = TypeVar("R")


class Writer:
    """Writes on one lane; keeps the amendments that came before their row."""

    def __init__(self, lane: Lane, clock: Clock) -> None:
        self._lane = lane
        self._clock = clock
        self._late = Late()

    @property
    def late(self) -> int:
        """How many amendments wait for their row."""
        return len(self._late)

    @property
    def is_waiting(self) -> bool:
        """Whether `write_late` has something to do, now or soon."""
        return bool(len(self._late) or self._late.given_up)

    def write(self, head: Head, records: Sequence[Record]) -> None:
        """Store *records*; raises as `Lane.transaction`, and then none of them is stored."""
        changes = self._changes(records)
        with self._lane.transaction() as database:
            stored = _write(database, head, records, changes)
        self._late.settle(changes, stored, self._clock.monotonic())

    def write_late(self, head: Head) -> None:
        """Try again what came before its row; say how many were given up."""
        changes = {change.id: change for change in self._late.due(self._clock.monotonic())}
        drops = self._given_up()
        if not changes and not drops:
            return
        with self._lane.transaction() as database:
            stored = _write(database, head, drops, changes)
        self._late.settle(changes, stored, self._clock.monotonic())
        self._late.given_up -= sum(drop.n for drop in drops)

    def _changes(self, records: Sequence[Record]) -> dict[str, Change]:
        new = [change_of(record) for record in _only(Amendment, records)]
        earlier = self._late.of({change.id for change in new})
        return by_key([*earlier, *new], lambda change: change.id)

    def _given_up(self) -> list[Drops]:
        now_ms = self._clock.now_ms()
        row = Drops(
            id=uuid7(now_ms),
            reason=NO_ROW,
            kind="amendment",
            n=self._late.given_up,
            first_at_ms=now_ms,
            last_at_ms=now_ms,
        )
        return [row] if row.n else []


def _write(
    database: Connection[TupleRow], head: Head, records: Sequence[Record], changes: Mapping[str, Change]
) -> list[str]:
    """Return the ids of *changes* that found their row."""
    shared = head_values(head)
    errors = [record for record in records if isinstance(record, ErrorRecord | Repeat)]
    if errors and changes:
        fingerprints = {record.fingerprint for record in errors} | {change.fingerprint for change in changes.values()}
        database.execute(statement("lock_groups"), {"fingerprints": sorted(fingerprints)})
    _run(database, "insert_errors", shared, error_columns(errors))
    amended = _amend(database, changes) if changes else []
    _run(database, "insert_slow_calls", shared, slow_columns(_only(SlowCall, records)))
    if frames := {frame.id: frame for frame in _only(CallStats, records)}:
        fresh = database.execute(statement("apply_frames"), {"id": sorted(frames)}).fetchall()
        _run(database, "upsert_minutes", shared, minute_columns(frames[key] for (key,) in fresh))
    _run(database, "insert_drops", shared, drop_columns(_only(Drops, records)))
    return amended


def _amend(database: Connection[TupleRow], changes: Mapping[str, Change]) -> list[str]:
    found = database.execute(statement("amend_errors"), change_columns(changes.values())).fetchall()
    amended = {key for (key,) in found}
    _run(database, "amend_groups", {}, group_columns(change for key, change in changes.items() if key in amended))
    return list(amended)


def _run(database: Connection[TupleRow], name: str, shared: Mapping[str, object], rows: Columns) -> None:
    if next(iter(rows.values())):
        database.execute(statement(name), {**shared, **rows})


def _only(kind: type[R], records: Iterable[object]) -> list[R]:
    return [record for record in records if isinstance(record, kind)]
