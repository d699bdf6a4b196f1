"""How far a sink has read: one slot that is overwritten in place, so it works on a full disk."""

import os
import struct
import zlib
from pathlib import Path
from typing import Final

from msgspec import Struct

from otel_guard.journal.handles import Handle, Handles, LostFileError

_SLOT: Final = struct.Struct("<QQQ")
_CRC: Final = struct.Struct("<I")
SLOT_BYTES: Final = _SLOT.size + _CRC.size


class Position(Struct, frozen=True, order=True):
    """The next byte to read: *offset* in segment number *file*; *frame* is the number of the last frame before it."""

    file: int
    offset: int
    frame: int = 0


class Cursor:
    """One sink's cursor in one journal; used by that sink's thread."""

    def __init__(self, handles: Handles, path: Path) -> None:
        self._handles = handles
        self._path = path
        self._handle: Handle | None = None

    def load(self) -> Position | None:
        """Return the stored position; None: there is none, or it is damaged."""
        try:
            return decode_position(os.pread(self._opened().fd, SLOT_BYTES, 0))
        except FileNotFoundError:
            return None

    def store(self, position: Position) -> None:
        """Remember *position*."""
        try:
            handle = self._opened(create=True)
            handle.stat()
        except LostFileError:
            self.close()
            handle = self._opened(create=True)
        os.pwrite(handle.fd, encode_position(position), 0)

    def close(self) -> None:
        """Close the file."""
        handle, self._handle = self._handle, None
        if handle is not None:
            self._handles.close(handle)

    def _opened(self, *, create: bool = False) -> Handle:
        if self._handle is None:
            self._handle = self._handles.open(self._path, os.O_RDWR | (os.O_CREAT if create else 0))
        return self._handle


def encode_position(position: Position) -> bytes:
    """24 bytes and their CRC."""
    slot = _SLOT.pack(position.file, position.offset, position.frame)
    return slot + _CRC.pack(zlib.crc32(slot))


def decode_position(data: bytes) -> Position | None:
    """Return None for anything but a whole slot."""
    if len(data) != SLOT_BYTES or _CRC.unpack_from(data, _SLOT.size)[0] != zlib.crc32(data[: _SLOT.size]):
        return None
    return Position(*_SLOT.unpack_from(data))
