import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_guard.journal.cursor import SLOT_BYTES, Cursor, Position, decode_position, encode_position
from otel_guard.journal.handles import Handles

numbers = st.integers(0, 2**64 - 1)


@given(st.builds(Position, numbers, numbers, numbers))
def test_a_position_comes_back(position: Position) -> None:
    assert decode_position(encode_position(position)) == position


def test_any_damage_is_seen() -> None:
    good = encode_position(Position(3, 4096, 17))

    for at in range(SLOT_BYTES):
        assert decode_position(good[:at]) is None
        assert decode_position(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]) is None


def test_a_cursor_is_kept_in_place(tmp_path: Path) -> None:
    path = tmp_path / "a.cur"
    cursor = Cursor(Handles(), path)
    assert cursor.load() is None

    cursor.store(Position(1, 10))
    cursor.store(Position(2, 20))

    assert Cursor(Handles(), path).load() == Position(2, 20)
    assert (path.stat().st_size, path.stat().st_mode & 0o777) == (SLOT_BYTES, 0o600)


def test_no_byte_goes_to_a_file_that_got_its_number(tmp_path: Path) -> None:
    handles = Handles()
    cursor = Cursor(handles, tmp_path / "a.cur")
    cursor.store(Position(1, 10))
    fd = next(iter(handles._open))
    os.close(fd)  # a daemon's closerange
    foreign = os.open(tmp_path / "foreign", os.O_RDWR | os.O_CREAT)
    assert foreign == fd

    cursor.store(Position(2, 20))

    assert (tmp_path / "foreign").read_bytes() == b""
    assert Cursor(Handles(), tmp_path / "a.cur").load() == Position(2, 20)
    os.close(foreign)


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target").touch()
    (tmp_path / "a.cur").symlink_to(tmp_path / "target")

    with pytest.raises(OSError, match="symbolic links"):
        Cursor(Handles(), tmp_path / "a.cur").store(Position(1, 1))
