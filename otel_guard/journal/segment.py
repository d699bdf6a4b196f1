"""Frames in bytes and back, and how the files of a journal are named."""

import os
import re
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Final

from msgspec import Struct

VERSION: Final = 1
MARK: Final = b"GO"  # 0x4F47, little-endian
PAYLOAD_LIMIT: Final = 256 * 1024
SEGMENT_BYTES: Final = 4 * 1024 * 1024
HEADER_BYTES: Final = 20

_HEADER: Final = struct.Struct("<2sBBIQ")  # mark, kind, flags, payload length, frame number
_CRC: Final = struct.Struct("<I")
_SEGMENT: Final = re.compile(r"([0-9a-f-]{36})-(\d{6,})\.seg")
_OWN: Final = re.compile(r"([0-9a-f-]{36})\.own")


class Frame(Struct, frozen=True):
    """One whole frame, and where in the bytes it stands."""

    kind: int
    number: int
    payload: bytes
    start: int
    end: int


class Scan(Struct, frozen=True):
    """What bytes held: frames, damaged stretches, and how many of the bytes are done with."""

    frames: Sequence[Frame]
    damage: Sequence[tuple[int, int]]
    used: int


class _Broken(Struct, frozen=True):
    """No frame starts here; *is_short*: one may, but the bytes end before it does."""

    is_short: bool


_BAD: Final = _Broken(is_short=False)
_SHORT: Final = _Broken(is_short=True)


def encode_frame(kind: int, number: int, payload: bytes) -> bytes:
    """Return one frame: header, CRC-32 of header and payload, payload."""
    header = _HEADER.pack(MARK, kind, 0, len(payload), number)
    return header + _CRC.pack(zlib.crc32(payload, zlib.crc32(header))) + payload


def scan(data: bytes, *, is_left: bool, is_end: bool) -> Scan:
    """Read the frames of *data*; *is_left*: nobody appends to the file any more, *is_end*: it ends with *data*.

    A tail of zeros is the end. Past a bad frame, reading goes on at the next mark whose CRC holds.
    """
    frames: list[Frame] = []
    damage: list[tuple[int, int]] = []
    at = 0
    while at < len(data):
        found = _frame_at(data, at)
        if isinstance(found, Frame):
            frames.append(found)
            at = found.end
            continue
        if found.is_short and not (is_left and is_end):
            break
        if is_left and not data[at:].strip(b"\0"):
            at = len(data)
            break
        onward = _resume(data, at + 1, is_left=is_left, is_end=is_end)
        if onward is None:
            break
        damage.append((at, onward))
        at = onward
    return Scan(frames, damage, at)


def segment_name(writer_id: str, number: int) -> str:
    """`<writer>-000001.seg`."""
    return f"{writer_id}-{number:06}.seg"


def own_name(writer_id: str) -> str:
    """`<writer>.own`."""
    return f"{writer_id}.own"


def cursor_name(writer_id: str, sink: str) -> str:
    """`<writer>.<sink>.cur`."""
    return f"{writer_id}.{sink}.cur"


def parse_segment_name(name: str) -> tuple[str, int] | None:
    """Return the writer and number of a segment's name; None: a foreign file."""
    found = _SEGMENT.fullmatch(name)
    return (found[1], int(found[2])) if found else None


def segments_of(folder: Path, writer_id: str) -> list[int]:
    """Return the numbers of a writer's segments, oldest first."""
    found = (parse_segment_name(name) for name in os.listdir(folder))  # noqa: PTH208 - names are enough, and quick
    return sorted(name[1] for name in found if name and name[0] == writer_id)


def number_of(path: PurePath) -> int:
    """Return the number of the segment *path*; 0: a foreign file."""
    found = parse_segment_name(path.name)
    return found[1] if found else 0


def parse_own_name(name: str) -> str | None:
    """Return the writer of an `.own` file's name; None: a foreign file."""
    found = _OWN.fullmatch(name)
    return found[1] if found else None


def _frame_at(data: bytes, at: int) -> Frame | _Broken:
    if len(data) - at < HEADER_BYTES:
        return _SHORT if MARK.startswith(data[at : at + 2]) else _BAD
    mark, kind, flags, length, number = _HEADER.unpack_from(data, at)
    if mark != MARK or flags or length > PAYLOAD_LIMIT:
        return _BAD
    start, end = at + HEADER_BYTES, at + HEADER_BYTES + length
    if end > len(data):
        return _SHORT
    payload = data[start:end]
    (crc,) = _CRC.unpack_from(data, at + _HEADER.size)
    if crc != zlib.crc32(payload, zlib.crc32(data[at : at + _HEADER.size])):
        return _BAD
    return Frame(kind, number, payload, at, end)


def _resume(data: bytes, at: int, *, is_left: bool, is_end: bool) -> int | None:
    """Where to go on: the first whole frame, else what may become one; None: wait for more bytes."""
    first_short = None
    while (at := data.find(MARK, at)) >= 0:
        found = _frame_at(data, at)
        if isinstance(found, Frame):
            return at
        if found.is_short and first_short is None:
            first_short = at
        at += 1
    if first_short is None and data.endswith(MARK[:1]):
        first_short = len(data) - 1
    if not is_left:
        return None
    return len(data) if is_end or first_short is None else first_short
