"""As much of Postgres as a driver's first statement: protocol 3 without a password; words make it fail."""

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final

from otel_guard.demo.standins._tcp import Tcp

MISSING: Final = "missing_table"  # a statement that names it fails
_SECURE: Final = {80877103, 80877104}  # SSLRequest, GSSENCRequest
_ANSWERING: Final = b"QS"  # after a simple query and a Sync comes ReadyForQuery
_SETTINGS: Final = {
    "server_version": "16.4",
    "server_encoding": "UTF8",
    "client_encoding": "UTF8",
    "DateStyle": "ISO, MDY",
    "TimeZone": "UTC",
    "integer_datetimes": "on",
    "standard_conforming_strings": "on",
}


def start() -> Tcp:
    """Start it on a free port."""
    return Tcp(_talk)


def _talk(heard: BinaryIO, said: BinaryIO) -> None:
    if not _greeted(heard, said):
        return
    is_broken = False
    for kind, body in _messages(heard):
        if kind == b"X":
            return
        if kind in b"QP" and MISSING.encode() in body:
            is_broken = True
            said.write(_refusal())
        elif kind == b"Q":
            said.write(_rows(with_columns=True))
        elif not is_broken:
            said.write(_extended(kind))
        if kind in _ANSWERING:
            is_broken = False
            said.write(_message(b"Z", b"I"))
        said.flush()


def _greeted(heard: BinaryIO, said: BinaryIO) -> bool:
    while len(head := heard.read(8)) == 8:  # noqa: PLR2004 - length and code
        size, code = struct.unpack("!II", head)
        heard.read(size - 8)
        if code in _SECURE:
            said.write(b"N")
            continue
        said.write(_message(b"R", struct.pack("!I", 0)))
        said.writelines(_message(b"S", f"{name}\0{value}\0".encode()) for name, value in _SETTINGS.items())
        said.write(_message(b"K", struct.pack("!II", 1, 1)) + _message(b"Z", b"I"))
        said.flush()
        return True
    return False


def _messages(heard: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    while len(head := heard.read(5)) == 5:  # noqa: PLR2004 - kind and length
        yield head[:1], heard.read(struct.unpack("!I", head[1:])[0] - 4)


def _extended(kind: bytes) -> bytes:
    match kind:
        case b"P":
            return _message(b"1", b"")
        case b"B":
            return _message(b"2", b"")
        case b"D":
            return _message(b"t", struct.pack("!H", 0)) + _columns()
        case b"C":
            return _message(b"3", b"")
        case b"E":
            return _rows(with_columns=False)
    return b""


def _rows(*, with_columns: bool) -> bytes:
    row = _message(b"D", struct.pack("!HI", 1, 1) + b"1")
    return (_columns() if with_columns else b"") + row + _message(b"C", b"SELECT 1\0")


def _columns() -> bytes:
    return _message(b"T", struct.pack("!H", 1) + b"one\0" + struct.pack("!IHIhIH", 0, 0, 25, -1, 0xFFFFFFFF, 0))


def _refusal() -> bytes:
    fields = {"S": "ERROR", "V": "ERROR", "C": "42P01", "M": f'relation "{MISSING}" does not exist'}
    return _message(b"E", b"".join(f"{key}{value}\0".encode() for key, value in fields.items()) + b"\0")


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body
