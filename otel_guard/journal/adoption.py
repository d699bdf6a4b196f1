"""The journals that dead processes left in a folder, taken over one owner at a time."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct, structs

from otel_guard.journal.counting import count_after
from otel_guard.journal.dropped import Dropped
from otel_guard.journal.files import JournalFiles, Parts
from otel_guard.journal.handles import Handles
from otel_guard.journal.owner import take
from otel_guard.journal.place import prepare
from otel_guard.journal.pump import Pump, SinkSpec
from otel_guard.journal.quarantine import QuarantineFolder
from otel_guard.journal.segment import parse_own_name, parse_segment_name
from otel_guard.runtime.clock import Clock
from otel_guard.runtime.failsafe import Failsafe

MOST_AT_ONCE: Final = 8  # descriptors stay few
STALE_MS: Final = 3_600_000
POLL_S: Final = 0.5


class Found(Struct, frozen=True):
    """A journal in the folder, and when it was last written to."""

    writer_id: str
    newest_ms: int


class AdoptionResult(Struct, frozen=True, kw_only=True):
    """What one pass did; *left*: records that a sink could not take yet, *problem* says why."""

    journals: int = 0
    records: int = 0
    delivered: int = 0
    quarantined: int = 0
    dropped: int = 0
    left: int = 0
    problem: str | None = None


def journals_in(folder: Path) -> list[Found]:
    """Return the journals of a folder, oldest first (ids carry their time)."""
    newest: dict[str, int] = {}
    for path in folder.iterdir():
        segment = parse_segment_name(path.name)
        writer_id = segment[0] if segment else parse_own_name(path.name)
        if writer_id is not None:
            newest[writer_id] = max(newest.get(writer_id, 0), _modified_ms(path))
    return [Found(writer_id, newest[writer_id]) for writer_id in sorted(newest)]


def adopt(parts: Parts, known: Iterable[str], most: int = MOST_AT_ONCE) -> Iterator[JournalFiles]:
    """Take over up to *most* journals whose process is dead, but those *known*; each is open for every sink."""
    prepare(parts.folder)
    now_ms, skipped = parts.clock.now_ms(), set(known)
    _sweep(parts.folder, now_ms)
    for found in journals_in(parts.folder):
        if most <= 0:
            return
        if found.writer_id in skipped:
            continue
        owner = take(parts.handles, parts.folder, found.writer_id, now_ms, found.newest_ms)
        if owner is None:
            continue
        try:
            journal = JournalFiles(parts, owner, found.writer_id, left_for=_long_ago, is_own=False)
        except BaseException:
            owner.release()
            raise
        most -= 1
        yield journal


def _sweep(folder: Path, now_ms: int) -> None:
    """Delete what a process that died while it opened its journal left behind."""
    for path in folder.glob("*.new"):
        if now_ms - _modified_ms(path) > STALE_MS:
            path.unlink(missing_ok=True)


def adopt_once(
    folder: Path, sinks: Mapping[str, SinkSpec], clock: Clock, *, deadline_s: float = 60.0
) -> AdoptionResult:
    """Deliver what dead processes left in *folder*, in this thread, within *deadline_s*; the rest stays."""
    handles, dropped, failsafe = Handles(), Dropped(clock), Failsafe()
    pumps = {name: Pump(name, spec, clock=clock, failsafe=failsafe) for name, spec in sinks.items()}
    quarantine = QuarantineFolder(folder)
    parts = Parts(
        folder=folder,
        handles=handles,
        pumps=pumps,
        quarantine=quarantine,
        clock=clock,
        skipped=dropped.note_errors,
    )
    until = clock.monotonic() + deadline_s
    result = AdoptionResult()
    tried: set[str] = set()
    while pumps and clock.monotonic() < until and (journals := list(adopt(parts, tried))):
        tried |= {journal.writer_id for journal in journals}
        _drain(journals, pumps, clock, until)
        result = _added(result, journals, folder)
    dropped.collect()
    durable = [pump for pump in pumps.values() if pump.spec.durable] or list(pumps.values())
    return structs.replace(
        result,
        delivered=min((pump.delivered for pump in durable), default=0),
        quarantined=quarantine.records + quarantine.damaged,
        dropped=dropped.totals.total(),
        problem=next((pump.trouble for pump in pumps.values() if pump.trouble), None),
    )


def _drain(journals: Sequence[JournalFiles], pumps: Mapping[str, Pump], clock: Clock, until: float) -> None:
    """Step the sinks until every journal is read, or time is up."""
    for pump in pumps.values():
        pump.hurry(on=True)
    while not all(journal.is_over for journal in journals):
        wait_s = min(pump.step() for pump in pumps.values())
        left_s = until - clock.monotonic()
        if left_s <= 0:
            break
        if wait_s and not all(journal.is_over for journal in journals):
            clock.sleep(min(wait_s, left_s, POLL_S))


def _added(result: AdoptionResult, journals: Sequence[JournalFiles], folder: Path) -> AdoptionResult:
    """Close *journals*: what is through is deleted, what is left counted."""
    records = left = 0
    for journal in journals:
        readings = journal.readings.values()
        waits = {
            reading: 0 if reading.is_over else count_after(folder, journal.writer_id, reading.passed).total()
            for reading in readings
        }
        records += max(reading.settled + waits[reading] for reading in readings)
        left += max(waits.values())
        journal.close()
    return structs.replace(
        result, journals=result.journals + len(journals), records=result.records + records, left=result.left + left
    )


def _long_ago(_: int) -> float:
    return math.inf


def _modified_ms(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns // 1_000_000
    except FileNotFoundError:
        return 0
