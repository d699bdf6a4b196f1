"""How many records stand in segments, without delivering them."""

from collections import Counter
from pathlib import Path
from typing import Final

import msgspec

from otel_guard.core.codec import HEAD, KIND_NAMES, decode
from otel_guard.core.record import ErrorRecord
from otel_guard.journal.cursor import Position, decode_position
from otel_guard.journal.segment import cursor_name, scan, segment_name, segments_of

Counted = Counter[tuple[str, str | None]]  # by kind and severity
_START: Final = Position(0, 0)


def count_segment(path: Path, offset: int = 0) -> Counted:
    """Count the records of one segment from *offset* on."""
    counted: Counted = Counter()
    try:
        data = path.read_bytes()[offset:]
    except FileNotFoundError:
        return counted
    for frame in scan(data, is_left=True, is_end=True).frames:
        if frame.kind == HEAD:
            continue
        try:
            record = decode(frame.kind, frame.payload)
        except (KeyError, msgspec.DecodeError):
            continue
        counted[KIND_NAMES[type(record)], record.severity if isinstance(record, ErrorRecord) else None] += 1
    return counted


def count_after(folder: Path, writer_id: str, position: Position) -> Counted:
    """Count the records of a journal after *position*."""
    counted: Counted = Counter()
    for number in segments_of(folder, writer_id):
        if number >= position.file:
            offset = position.offset if number == position.file else 0
            counted += count_segment(folder / segment_name(writer_id, number), offset)
    return counted


def cursor_of(folder: Path, writer_id: str, sink: str) -> Position:
    """Return how far a sink of a dead process came; the start if nobody knows."""
    try:
        return decode_position((folder / cursor_name(writer_id, sink)).read_bytes()) or _START
    except OSError:
        return _START


def end_of(folder: Path, writer_id: str) -> Position:
    """Return the end of a dead process's journal."""
    numbers = segments_of(folder, writer_id)
    if not numbers:
        return _START
    return Position(numbers[-1], (folder / segment_name(writer_id, numbers[-1])).stat().st_size)
