import itertools
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from otel_guard.core import codec
from otel_guard.core.record import Head
from otel_guard.journal.handles import Handles, LostFileError
from otel_guard.journal.segment import scan, segments_of
from otel_guard.journal.writer import Writer


def frames(folder: Path, writer_id: str) -> list[bytes]:
    found = []
    for number in segments_of(folder, writer_id):
        data = (folder / f"{writer_id}-{number:06}.seg").read_bytes()
        read = scan(data, is_left=True, is_end=True)
        assert not read.damage
        assert codec.decode_head(read.frames[0].payload).number == number
        found += [frame.payload for frame in read.frames[1:]]
    return found


def test_a_full_segment_is_left_and_the_number_stays(tmp_path: Path, head: Head) -> None:
    writer = Writer(tmp_path, head, segment_bytes=2000)
    fd = writer._handle.fd
    payloads = [b"%d" % number + b"x" * 100 for number in range(50)]

    for payload in payloads:
        assert writer.append(2, payload)

    assert frames(tmp_path, head.writer_id) == payloads
    assert len(segments_of(tmp_path, head.writer_id)) > 3
    assert writer._handle.fd == fd
    assert writer.left_for(1) is not None
    assert writer.left_for(writer.end().file) is None


def test_threads_lose_no_frame_while_segments_turn(tmp_path: Path, head: Head) -> None:
    writer = Writer(tmp_path, head, segment_bytes=5000)

    def work(first: int) -> None:
        for number in range(500):
            assert writer.append(2, b"%d-%d" % (first, number))

    threads = [threading.Thread(target=work, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    expected = {b"%d-%d" % pair for pair in itertools.product(range(8), range(500))}
    found = frames(tmp_path, head.writer_id)
    assert len(found) == len(expected)
    assert set(found) == expected


@pytest.mark.parametrize("way", ["closed", "reused", "deleted"])
def test_a_lost_file_is_noticed(tmp_path: Path, head: Head, way: str) -> None:
    writer = Writer(tmp_path, head)
    fd, foreign = writer._handle.fd, None
    if way == "deleted":
        writer._handle.path.unlink()
    else:
        os.close(fd)
    if way == "reused":
        foreign = os.open(tmp_path / "foreign", os.O_RDWR | os.O_CREAT)
        assert foreign == fd

    with pytest.raises(LostFileError):
        writer.append(2, b"x")

    assert writer.left_for(1) is not None
    if foreign is not None:
        writer.close()
        assert os.fstat(foreign).st_size == 0
        os.close(foreign)


@pytest.mark.parametrize("nth", range(1, 4))
def test_a_write_that_is_short_or_fails_leaves_the_frame_whole_or_absent(
    tmp_path: Path, head: Head, nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(tmp_path, head)
    real, calls = os.write, itertools.count(1)

    def cut(fd: int, data: Any) -> int:
        return real(fd, data[: len(data) // 2] if next(calls) == nth else data)

    monkeypatch.setattr(os, "write", cut)
    kept = [payload for payload in (b"one", b"two", b"three") if writer.append(2, payload)]
    monkeypatch.undo()

    found = []
    for number in segments_of(tmp_path, head.writer_id):
        read = scan((tmp_path / f"{head.writer_id}-{number:06}.seg").read_bytes(), is_left=True, is_end=True)
        found += [frame.payload for frame in read.frames[1:]]
    assert found == kept == [b"one", b"two", b"three"]


def test_a_signal_amid_rotation_loses_nothing(tmp_path: Path, head: Head, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Writer(tmp_path, head)
    writer.append(2, b"one")

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "dup2", interrupted)
    with pytest.raises(KeyboardInterrupt):
        writer.rotate()
    monkeypatch.undo()
    writer.append(2, b"two")
    assert writer.rotate()
    writer.append(2, b"three")

    assert frames(tmp_path, head.writer_id) == [b"one", b"two", b"three"]
    assert writer.end().file == 3


def test_handles_are_closed_at_once_and_foreign_ones_left(tmp_path: Path, head: Head) -> None:
    handles = Handles()
    writer = Writer(tmp_path, head, handles)
    fd = writer._handle.fd

    handles.close_all()

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
