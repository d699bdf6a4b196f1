import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from otel_guard.core.delivery import Delivered, Retry
from otel_guard.core.record import CallStats, Drops
from otel_guard.journal.pump import SinkSpec
from otel_guard.runtime.suppression import is_sending

Until = Callable[[Callable[[], bool]], bool]


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.seg"))


def test_what_was_appended_is_delivered_and_nothing_is_left(make: Any, folder: Path, error: Any, scripted: Any) -> None:
    store, sentry = scripted(), scripted()
    journal = make(store=store, sentry=SinkSpec(sentry, False, 60.0))
    journal.start()

    assert all(journal.append(error(number)) for number in range(50))
    assert journal.flush(5.0)
    journal.close(5.0)
    journal.close(5.0)

    assert store.seqs == sentry.seqs == list(range(50))
    assert store.batches[0].is_own
    assert list(folder.iterdir()) == []


def test_threads_are_named_and_end(make: Any, scripted: Any) -> None:
    journal = make(store=scripted())
    journal.start()
    journal.start()

    named = sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("otel-guard"))
    journal.close(5.0)

    assert named == ["otel-guard-scheduler", "otel-guard-store"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("otel-guard")]


def test_before_the_start_and_after_the_end_records_are_on_disk(
    make: Any, folder: Path, error: Any, scripted: Any
) -> None:
    journal = make(store=scripted())
    assert journal.append(error(1))
    assert len(segments(folder)) == 1
    journal.start()
    journal.close(5.0)
    assert segments(folder) == []

    assert journal.append(error(2))

    assert len(segments(folder)) == 1


def test_an_outage_keeps_all_for_the_next_process(
    make: Any, folder: Path, error: Any, scripted: Any, until: Until
) -> None:
    down = make(store=scripted(*[Retry("down")] * 999))
    down.start()
    for number in range(20):
        down.append(error(number))
    down.close(0.2)
    assert len(segments(folder)) == 1

    sink = scripted()
    journal = make(store=sink)
    journal.start()

    assert until(lambda: len(sink.seqs) == 20)
    assert sink.seqs == list(range(20))
    assert until(lambda: segments(folder) == [] or journal.stats().adopted == 1)


def test_flush_says_whether_all_arrived(make: Any, error: Any, scripted: Any) -> None:
    journal = make(store=scripted(*[Retry("down", 60.0)]))
    journal.start()
    journal.append(error(1))

    assert not journal.flush(0.2)


def test_a_sink_that_is_not_durable_holds_nobody_up(make: Any, error: Any, scripted: Any, until: Until) -> None:
    journal = make(store=scripted(), sentry=SinkSpec(scripted(*[Retry("429", 60.0)]), False, 60.0))
    journal.start()
    journal.append(error(1))

    assert journal.flush(5.0)
    assert until(lambda: journal.stats().sinks["sentry"].trouble == "429")


def test_callbacks_run_before_the_last_delivery(make: Any, error: Any, scripted: Any) -> None:
    sink = scripted()
    journal = make(store=sink)
    journal.every(3600.0, lambda: journal.append(error(7)) and None)
    journal.start()

    assert journal.flush(5.0)
    assert sink.seqs == [7]
    journal.close(5.0)
    assert sink.seqs == [7, 7]


def test_sinks_send_under_suppression(make: Any, error: Any) -> None:
    seen: list[bool] = []

    class Looks:
        def deliver(self, _batch: Any) -> Delivered:
            seen.append(is_sending())
            return Delivered()

    journal = make(store=Looks())
    journal.start()
    journal.append(error(1))
    journal.flush(5.0)

    assert seen == [True]


def test_without_a_folder_records_are_in_memory(make: Any, error: Any, scripted: Any, said: list[str]) -> None:
    sink = scripted()
    journal = make(None, console=sink)
    journal.start()
    for number in range(5):
        journal.append(error(number))

    assert journal.flush(5.0)
    assert sink.seqs == list(range(5))
    stats = journal.stats()
    assert (stats.memory_mode, stats.durable, stats.bytes, said) == (True, False, 0, [])


def test_memory_is_bounded_and_what_does_not_fit_is_counted(make: Any, error: Any, scripted: Any) -> None:
    journal = make(None, console=scripted())
    kept = sum(journal.append(error(number, 100_000)) for number in range(200))

    assert 60 < kept < 90
    assert journal.stats().dropped == {"memory": 200 - kept}


@pytest.mark.parametrize("way", ["file", "link", "missing"])
def test_a_bad_folder_means_memory_and_one_warning(
    make: Any, folder: Path, error: Any, scripted: Any, said: list[str], way: str
) -> None:
    if way == "file":
        folder.write_text("")
    elif way == "link":
        folder.symlink_to(folder.parent)
    else:
        folder.parent.rmdir()
        folder.parent.write_text("")
    sink = scripted()
    journal = make(store=sink)
    journal.start()

    assert all(journal.append(error(number)) for number in range(3))
    assert journal.flush(5.0)
    assert journal.stats().memory_mode
    assert len(said) == 1
    assert "OTEL_GUARD_JOURNAL_DIR" in said[0]


def test_memory_goes_to_disk_when_there_is_one_again(
    make: Any, folder: Path, error: Any, scripted: Any, said: list[str]
) -> None:
    folder.write_text("")
    sink = scripted()
    journal = make(store=sink)
    for number in range(3):
        journal.append(error(number))
    folder.unlink()

    assert journal._life.intake.recover()
    assert journal._life.ring.size_bytes == 0
    assert not journal.stats().memory_mode
    assert said[1:] == ["the journal is on disk again"]
    journal.start()
    assert journal.flush(5.0)
    assert sink.seqs == [0, 1, 2]


def test_the_quota_keeps_counts_only(make: Any, error: Any, scripted: Any) -> None:
    sink = scripted()
    journal = make(store=sink, limit_bytes=100_000)

    kept = [journal.append(error(number, 1000)) for number in range(200)]
    assert 60 < sum(kept) < 100
    assert journal.level == 2
    assert not journal.append(CallStats(id="x", rows=()))
    journal._life.upkeep.call_all(1.0)
    assert journal.stats().dropped == {"quota": 200 - sum(kept) + 1}

    journal.start()
    journal.flush(5.0)
    drops = [record for batch in sink.batches for record in batch.records if isinstance(record, Drops)]
    errors = [drop for drop in drops if drop.kind == "error"]
    assert [(drop.reason, drop.n, drop.severity, drop.fingerprint) for drop in errors] == [
        ("quota", 200 - sum(kept), "high", "f1")
    ]
    assert errors[0].seqs == (sum(kept), 199)


@pytest.mark.parametrize("way", ["closed", "deleted"])
def test_a_lost_file_means_a_journal_of_a_new_writer(
    make: Any, folder: Path, error: Any, scripted: Any, way: str
) -> None:
    sink = scripted()
    journal = make(store=sink)
    journal.start()
    journal.append(error(1))
    assert journal.flush(5.0)
    first = journal.writer_id
    if way == "closed":
        os.close(journal._life.intake.writer._handle.fd)
    else:
        for path in folder.iterdir():
            path.unlink()

    assert journal.append(error(2))
    assert journal.writer_id != first
    assert journal.next_seq() == 1
    assert journal.flush(5.0)
    assert sink.seqs == [1, 2]


def test_without_a_sink_all_waits(make: Any, folder: Path, error: Any, scripted: Any) -> None:
    journal = make(folder.with_name("shop-00000000"))
    journal.start()
    journal.append(error(1))
    assert not journal.flush(1.0)
    journal.close(1.0)
    assert len(segments(folder.with_name("shop-00000000"))) == 1

    sink = scripted()
    other = make(store=sink)
    other.start()
    other._life.outflow.adopt()
    assert other._life.outflow.adopted == 1


def test_a_laggard_is_passed_over_and_counted(make: Any, folder: Path, error: Any, scripted: Any) -> None:
    journal = make(store=scripted(), sentry=SinkSpec(scripted(*[Retry("429", 60.0)]), False, 60.0))
    journal.append(error(1))
    old = segments(folder)[0]
    journal._life.intake.writer.rotate()
    journal.append(error(2))
    pumps, outflow = journal._life.outflow.pumps, journal._life.outflow
    pumps["sentry"].step()
    journal._life.intake.writer._left_at[1] = 0.0
    for _ in range(5):
        pumps["store"].hurry(on=True)
        pumps["store"].step()
    outflow.tidy(journal._life.intake.quota)
    assert old.exists()
    os.utime(old, (0, 0))

    outflow.tidy(journal._life.intake.quota)

    assert not old.exists()
    assert journal.stats().dropped == {"lag": 1}


def test_an_append_that_cannot_be_encoded_is_counted(make: Any, error: Any, scripted: Any) -> None:
    journal = make(store=scripted())
    journal._setup.failsafe._strict = False

    assert not journal.append(msgspec.structs.replace(error(1), metadata={"x": object()}))
    assert journal.stats().dropped == {"failed": 1}


def test_numbers_count_from_one(make: Any, scripted: Any) -> None:
    journal = make(store=scripted())

    assert [journal.next_seq() for _ in range(3)] == [1, 2, 3]
