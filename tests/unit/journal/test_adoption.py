import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otel_guard.core import codec
from otel_guard.core.delivery import Retry
from otel_guard.core.record import Head
from otel_guard.journal.adoption import adopt_once
from otel_guard.journal.handles import Handles
from otel_guard.journal.owner import OwnerNote, claim
from otel_guard.journal.place import prepare
from otel_guard.journal.pump import SinkSpec
from otel_guard.journal.segment import encode_frame, segment_name
from otel_guard.journal.writer import Writer
from otel_guard.runtime.clock import SYSTEM

Leave = Callable[..., Handles]


@pytest.fixture
def leave(folder: Path, head: Head) -> Leave:
    """Leave records in *folder*; its owner lives until its handles are closed."""

    def left(*records: Any, sinks: tuple[str, ...] = ("store",), is_alive: bool = False) -> Handles:
        prepare(folder)
        handles = Handles()
        claim(handles, folder, head.writer_id, OwnerNote(service="shop", sinks=sinks))
        writer = Writer(folder, head, handles)
        for record in records:
            writer.append(codec.KINDS[type(record)], codec.encode(record))
        if not is_alive:
            handles.close_all()
        return handles

    return left


def names(folder: Path) -> list[str]:
    return sorted(path.suffix for path in folder.iterdir() if path.is_file())


def test_a_dead_processes_records_are_delivered_and_its_files_deleted(
    folder: Path, leave: Leave, error: Any, scripted: Any
) -> None:
    leave(*(error(number) for number in range(3)))
    sink = scripted()

    done = adopt_once(folder, {"store": SinkSpec(sink, True)}, SYSTEM)

    assert (done.journals, done.records, done.delivered, done.left) == (1, 3, 3, 0)
    assert sink.seqs == [0, 1, 2]
    assert not sink.batches[0].is_own
    assert sink.batches[0].head.service == "shop"
    assert names(folder) == []


def test_a_living_processes_records_are_its_own(folder: Path, leave: Leave, error: Any, scripted: Any) -> None:
    handles = leave(error(1), is_alive=True)

    assert adopt_once(folder, {"store": SinkSpec(scripted(), True)}, SYSTEM).journals == 0
    handles.close_all()
    assert adopt_once(folder, {"store": SinkSpec(scripted(), True)}, SYSTEM).delivered == 1


def test_what_cannot_be_delivered_stays(folder: Path, leave: Leave, error: Any, scripted: Any) -> None:
    leave(*(error(number) for number in range(3)))
    down = scripted(*[Retry("Postgres is away")] * 99)

    done = adopt_once(folder, {"store": SinkSpec(down, True)}, SYSTEM, deadline_s=0.3)

    assert (done.records, done.delivered, done.left, done.problem) == (3, 0, 3, "Postgres is away")
    assert names(folder) == [".own", ".seg"]
    assert adopt_once(folder, {"store": SinkSpec(scripted(), True)}, SYSTEM).delivered == 3


def test_who_has_no_sentry_counts_what_it_does_not_get(folder: Path, leave: Leave, error: Any, scripted: Any) -> None:
    leave(*(error(number) for number in range(3)), sinks=("store", "sentry"))

    done = adopt_once(folder, {"store": SinkSpec(scripted(), True)}, SYSTEM)

    assert (done.delivered, done.dropped) == (3, 3)


def test_one_of_two_adopters_reads(folder: Path, leave: Leave, error: Any, scripted: Any) -> None:
    leave(*(error(number) for number in range(300)))
    sinks = [scripted() for _ in range(4)]
    threads = [
        threading.Thread(target=adopt_once, args=(folder, {"store": SinkSpec(sink, True)}, SYSTEM)) for sink in sinks
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(seq for sink in sinks for seq in sink.seqs) == list(range(300))
    assert names(folder) == []


def test_segments_without_an_owner_file_are_adopted(folder: Path, leave: Leave, error: Any, scripted: Any) -> None:
    leave(error(1))
    next(folder.glob("*.own")).unlink()

    assert adopt_once(folder, {"store": SinkSpec(scripted(), True)}, SYSTEM).delivered == 1


@pytest.mark.parametrize("tail", [b"", b"GO\x02", bytes(4096), b"garbage" * 100])
def test_a_damaged_tail_stops_nothing(
    folder: Path, leave: Leave, head: Head, error: Any, scripted: Any, tail: bytes
) -> None:
    leave(error(1), error(2))
    with (folder / segment_name(head.writer_id, 1)).open("ab") as file:
        file.write(tail)
    sink = scripted()

    done = adopt_once(folder, {"store": SinkSpec(sink, True)}, SYSTEM)

    assert sink.seqs == [1, 2]
    assert done.quarantined == bool(tail.strip(b"\0"))
    assert names(folder) == []


def test_a_lost_head_is_made_up_from_the_owner_file(
    folder: Path, leave: Leave, head: Head, error: Any, scripted: Any
) -> None:
    leave(error(1))
    path = folder / segment_name(head.writer_id, 1)
    path.write_bytes(b"XX" + path.read_bytes()[2:])
    sink = scripted()

    adopt_once(folder, {"store": SinkSpec(sink, True)}, SYSTEM)

    assert sink.seqs == [1]
    assert (sink.batches[0].head.service, sink.batches[0].head.writer_id) == ("shop", head.writer_id)


def test_a_segment_of_an_unknown_version_goes_to_quarantine(
    folder: Path, leave: Leave, head: Head, error: Any, scripted: Any
) -> None:
    leave(error(1))
    newer = codec.encode(Head(**{name: getattr(head, name) for name in head.__struct_fields__} | {"version": 9}))
    name = segment_name(head.writer_id, 2)
    (folder / name).write_bytes(encode_frame(codec.HEAD, 1, newer) + encode_frame(2, 2, codec.encode(error(2))))
    sink = scripted()

    done = adopt_once(folder, {"store": SinkSpec(sink, True)}, SYSTEM)

    assert (sink.seqs, done.quarantined) == ([1], 1)
    assert (folder / "quarantine" / name).with_suffix(".rec").exists()


def test_foreign_files_stay(folder: Path, leave: Leave, error: Any, scripted: Any) -> None:
    leave(error(1))
    (folder / "notes.txt").write_text("mine")

    adopt_once(folder, {"store": SinkSpec(scripted(), True)}, SYSTEM)

    assert names(folder) == [".txt"]
