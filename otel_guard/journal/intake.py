"""The way in, in the application's thread: to disk, else to memory, else counted."""

import errno
import itertools
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from otel_guard.core.codec import KINDS, encode
from otel_guard.core.record import ErrorRecord, Head, Record
from otel_guard.journal.dropped import Dropped
from otel_guard.journal.handles import Handles, LostFileError
from otel_guard.journal.memory import Ring
from otel_guard.journal.owner import Owner, OwnerNote, claim
from otel_guard.journal.place import PlaceRefusedError, prepare
from otel_guard.journal.quota import Quota, admits, level_of
from otel_guard.journal.segment import PAYLOAD_LIMIT
from otel_guard.journal.setup import Setup, head_of
from otel_guard.journal.writer import Writer
from otel_guard.runtime.ids import uuid7

OPEN_WAIT_S: Final = 1.0
MOVE_AT_ONCE: Final = 200
STACK_LIMIT: Final = 64 * 1024
OnOpen = Callable[[Writer, Owner], None]
MESSAGE_LIMIT: Final = 8 * 1024


class Intake:
    """Takes records; no lock but while the first file is opened."""

    def __init__(self, setup: Setup, handles: Handles, ring: Ring, dropped: Dropped, note: OwnerNote) -> None:
        self.writer: Writer | None = None
        self.writer_id = uuid7(setup.clock.now_ms())
        self.seqs = itertools.count(1)
        self.memory_why: str | None = None  # why records stay in memory
        self.write_errors: Counter[str] = Counter()
        self.quota = Quota(setup.folder, setup.limit_bytes)
        self.on_open: OnOpen = lambda _writer, _owner: None
        self.on_append: Callable[[], None] = lambda: None
        self._setup = setup
        self._handles = handles
        self._ring = ring
        self._dropped = dropped
        self._note = note
        self._opening = threading.Lock()
        self._opener: int | None = None

    @property
    def level(self) -> int:
        """How full the folder is (`quota.FREE` to `SHUT`)."""
        writer = self.writer
        return self.quota.level(writer.appended_bytes if writer else 0)

    def append(self, record: Record) -> bool:
        """Keep *record*; False: dropped and counted."""
        kind = type(record)
        if not admits(kind, self.level):
            self._dropped.note("quota", record)
            return False
        record, payload = _fitting(record)
        if len(payload) > PAYLOAD_LIMIT:
            self._dropped.note("failed", record)
            return False
        is_kept = self._to_disk(KINDS[kind], payload) or self._to_ring(record, len(payload))
        if is_kept:
            self.on_append()
        return is_kept

    def open(self) -> bool:
        """Open this process's journal, unless it is; False: it stays in memory for now."""
        folder = self._setup.folder
        if self.writer is not None or folder is None:
            return self.writer is not None
        if self._opener == threading.get_ident():  # a signal handler, or `__del__`, amid our own opening
            return False
        if not self._opening.acquire(timeout=OPEN_WAIT_S):
            return False
        self._opener = threading.get_ident()
        try:
            if self.writer is None:
                head = head_of(self._setup, self.writer_id)
                self.writer = _open_writer(self._setup, folder, self._handles, head, self._note, self.on_open)
                self.measure()
        except (OSError, PlaceRefusedError) as error:
            self._to_memory(error)
        finally:
            self._opener = None
            self._opening.release()
        return self.writer is not None

    def measure(self) -> None:
        """Look at the disk's usage."""
        self.quota.measure(self.writer.appended_bytes if self.writer else 0)

    def recover(self) -> bool:
        """Try the disk again and move there what memory holds; False: it still takes nothing."""
        writer = self.writer
        if not (self.open() if writer is None else self.memory_why is None or writer.rotate()):
            return False
        if not self.move():
            return False
        if self.memory_why is not None:
            self.memory_why = None
            self._setup.warn("the journal is on disk again")
        return self.move()  # what came between

    def move(self) -> bool:
        """Move what memory holds to disk; False: not all of it."""
        writer = self.writer
        while writer is not None and (records := self._ring.first(MOVE_AT_ONCE)):
            for count, (_, record) in enumerate(records):
                try:
                    is_written = writer.append(KINDS[type(record)], encode(record))
                except (OSError, LostFileError):
                    is_written = False
                if not is_written:
                    self._ring.moved(count)
                    return False
            self._ring.moved(len(records))
            self.on_append()
        return writer is not None

    def leave(self, writer: Writer) -> None:
        """Stop using *writer*; who appends next opens a journal of a new writer."""
        if self.writer is writer:
            self.writer_id = uuid7(self._setup.clock.now_ms())
            self.seqs = itertools.count(1)
            self.writer = None

    def _to_disk(self, kind: int, payload: bytes) -> bool:
        for _ in range(2):
            writer = self.writer
            if self.memory_why is not None or (writer is None and not self.open()):
                return False
            writer = self.writer
            try:
                return writer is not None and (writer.append(kind, payload) or self._to_memory(_no_space()))
            except LostFileError:  # closed or deleted by somebody: once more, in a journal of a new writer
                self.write_errors["lost"] += 1
                if writer is not None:
                    self.leave(writer)
            except OSError as error:
                return self._to_memory(error)
        return False

    def _to_ring(self, record: Record, size: int) -> bool:
        if not admits(type(record), level_of(self._ring.size_bytes, self._ring.limit_bytes)):
            self._dropped.note("memory", record)
            return False
        self._ring.append(size, record)
        return True

    def _to_memory(self, error: OSError | PlaceRefusedError) -> bool:
        """Go into memory mode, with one warning; always False."""
        name = errno.errorcode.get(error.errno or 0, "EIO") if isinstance(error, OSError) else "refused"
        self.write_errors[name] += 1
        if self.memory_why is None:
            self.memory_why = name if isinstance(error, OSError) else str(error)
            self._setup.warn(
                f"the journal folder takes no records ({self.memory_why}): up to 8 MiB wait in memory, and are lost "
                "with the process; free disk space, or set OTEL_GUARD_JOURNAL_DIR to a folder that is writable"
            )
        return False


def _open_writer(setup: Setup, folder: Path, handles: Handles, head: Head, note: OwnerNote, on_open: OnOpen) -> Writer:
    prepare(folder)
    owner = claim(handles, folder, head.writer_id, note)
    writer = None
    try:
        writer = Writer(folder, head, handles, setup.clock)
        on_open(writer, owner)
    except BaseException:
        if writer is not None:
            writer.discard()
        owner.remove()
        raise
    return writer


def _fitting(record: Record) -> tuple[Record, bytes]:
    """Return *record* and its payload, without its largest parts if it is too large for a frame."""
    payload = encode(record)
    if len(payload) <= PAYLOAD_LIMIT or not isinstance(record, ErrorRecord):
        return record, payload
    record = msgspec.structs.replace(
        record,
        message=record.message[:MESSAGE_LIMIT],
        stack_trace=record.stack_trace[:STACK_LIMIT] if record.stack_trace else None,
        metadata={"cut": "too large for the journal"},
    )
    return record, encode(record)


def _no_space() -> OSError:
    return OSError(errno.ENOSPC, "a frame could not be written whole")
