from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otel_guard.core import codec
from otel_guard.core.delivery import Delivered, Quarantine, Retry
from otel_guard.core.record import Amendment, Head
from otel_guard.journal.cursor import Cursor, Position
from otel_guard.journal.handles import Handles
from otel_guard.journal.pump import IDLE_S, LINGER_S, Pump, SinkSpec
from otel_guard.journal.quarantine import QuarantineFolder
from otel_guard.journal.reader import Reader
from otel_guard.journal.reading import Reading
from otel_guard.journal.writer import Writer
from otel_guard.runtime.failsafe import Failsafe


class Line:
    """A writer, a reading of it, and a pump with *sink*."""

    def __init__(self, folder: Path, head: Head, clock: Any, sink: Any) -> None:
        self.folder, self.clock, self.sink = folder, clock, sink
        self.writer = Writer(folder, head, clock=clock)
        self.quarantine = QuarantineFolder(folder)
        handles = Handles()
        self.cursor = Cursor(handles, folder / "x.cur")
        reader = Reader(
            handles, folder, head, self.cursor.load(), left_for=self.writer.left_for, quarantine=self.quarantine
        )
        self.reading = Reading(reader, self.cursor, self.quarantine, is_own=True)
        self.pump = Pump("store", SinkSpec(sink, True), clock=clock, failsafe=Failsafe(), jitter=lambda: 1.0)
        self.pump.add(self.reading)

    def append(self, *records: Any) -> None:
        for record in records:
            assert self.writer.append(codec.KINDS[type(record)], codec.encode(record))

    def run(self, seconds: float) -> None:
        """Step as its thread would, the clock moving."""
        until = self.clock.monotonic() + seconds
        while self.clock.monotonic() < until:
            self.clock.sleep(max(self.pump.step(), 0.001))


@pytest.fixture
def line(tmp_path: Path, head: Head, clock: Any, scripted: Any) -> Callable[..., Line]:
    return lambda *answers: Line(tmp_path, head, clock, scripted(*answers))


def test_the_first_comes_at_once_and_the_next_together(line: Callable[..., Line], error: Any) -> None:
    at = line()
    at.append(error(1))
    at.pump.step()
    at.append(error(2), error(3))
    wait_s = at.pump.step()

    assert at.sink.seqs == [1]
    assert wait_s == pytest.approx(LINGER_S)
    at.run(LINGER_S + 0.1)
    assert [len(batch.records) for batch in at.sink.batches] == [1, 2]
    assert at.cursor.load() == at.reading.passed == Position(1, at.writer.end().offset, 4)


def test_a_batch_has_at_most_500_records(line: Callable[..., Line], error: Any) -> None:
    at = line()
    at.append(*(error(number) for number in range(1200)))

    at.run(1.0)

    assert [len(batch.records) for batch in at.sink.batches] == [500, 500, 200]
    assert at.sink.seqs == list(range(1200))


def test_retries_wait_longer_and_longer_and_lose_nothing(line: Callable[..., Line], error: Any) -> None:
    at = line(*[Retry("down")] * 9)
    at.append(error(1))
    waits = [at.pump.step()]
    while at.pump.trouble:
        at.clock.sleep(waits[-1])
        waits.append(at.pump.step())

    assert waits[:9] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert at.pump.retries == 9
    assert at.reading.passed == at.cursor.load()


def test_a_pause_that_the_peer_asked_for_is_kept_even_in_a_hurry(line: Callable[..., Line], error: Any) -> None:
    at = line(Retry("429", 60.0))
    at.append(error(1))
    at.pump.step()
    at.pump.hurry(on=True)

    assert at.pump.step() == 60.0
    at.clock.sleep(60)
    at.pump.step()
    assert len(at.sink.batches) == 2


def test_our_own_back_off_ends_in_a_hurry(line: Callable[..., Line], error: Any) -> None:
    at = line(*[Retry("down")] * 6)
    at.append(error(1))
    at.run(10)
    before = len(at.sink.batches)
    at.pump.hurry(on=True)
    at.pump.step()

    assert len(at.sink.batches) == before + 1


def test_one_bad_record_stops_no_other(line: Callable[..., Line], error: Any) -> None:
    records = [error(number) for number in range(5)]
    at = line(Quarantine(frozenset({records[2].id}), "not a number"))
    at.append(*records)

    at.run(1.0)

    assert at.sink.seqs == [0, 1, 2, 3, 4, 0, 1, 3, 4]
    assert (at.folder / "quarantine" / f"{records[2].id}.why").read_text() == "not a number"
    assert (at.folder / "quarantine" / f"{records[2].id}.rec").stat().st_mode & 0o777 == 0o600
    assert at.quarantine.records == 1
    assert at.reading.passed.offset == at.writer.end().offset


def test_a_refused_amendment_does_not_take_its_record_along(line: Callable[..., Line], error: Any) -> None:
    record = error(1)
    late = Amendment(id=record.id, fingerprint="f", title="t", of_context="api", of_severity="low")
    at = line(Quarantine(frozenset({record.id}), "bad"))
    at.append(record, late)

    at.run(1.0)

    assert list(at.sink.batches[-1].records) == [record]


def test_the_cursor_passes_only_what_is_settled(line: Callable[..., Line], error: Any) -> None:
    at = line(Delivered(2, 0.25))
    at.append(*(error(number) for number in range(4)))

    assert at.pump.step() == 0.25
    assert at.reading.passed.frame == 3
    at.run(0.5)
    assert at.sink.seqs == [0, 1, 2, 3, 2, 3]


def test_a_sink_that_raises_loses_only_what_it_cannot_take(
    tmp_path: Path, head: Head, clock: Any, error: Any, scripted: Any
) -> None:
    class Picky(scripted):  # type: ignore[misc]
        def deliver(self, batch: Any) -> Any:
            if any(record.seq == 13 for record in batch.records):
                raise ValueError
            return super().deliver(batch)

    at = Line(tmp_path, head, clock, Picky())
    at.append(*(error(number) for number in range(40)))

    at.run(120)

    assert sorted(set(at.sink.seqs)) == [number for number in range(40) if number != 13]
    assert at.quarantine.records == 1
    assert at.pump.step() == IDLE_S


def test_a_segment_is_read_to_its_end_before_the_next(line: Callable[..., Line], error: Any) -> None:
    at = line()
    at.append(error(1))
    at.writer.rotate()
    at.append(error(2))
    at.pump.step()
    at.pump.step()

    assert at.sink.seqs == [1]  # a thread may still be writing to the first
    at.run(3.0)
    assert at.sink.seqs == [1, 2]


def test_a_sink_is_tended_in_its_own_thread(tmp_path: Path, head: Head, clock: Any, scripted: Any) -> None:
    at, tended = Line(tmp_path, head, clock, scripted()), []
    pump = Pump("store", SinkSpec(at.sink, True, None, lambda: tended.append(1)), clock=clock, failsafe=Failsafe())
    for _ in range(12):
        pump.step()
        clock.sleep(1)

    assert len(tended) == 2
