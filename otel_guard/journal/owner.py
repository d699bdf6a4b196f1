"""Whose journal it is: a lock on `<writer>.own`, never a pid, which is used again and is 1 in every container."""

import fcntl
import os
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from otel_guard.journal.handles import Handle, Handles
from otel_guard.journal.segment import own_name

IDLE_MS: Final = 600_000
_NOTE_BYTES: Final = 64 * 1024
BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
PID_NAMESPACE: Final = "/proc/self/ns/pid"


class OwnerNote(Struct, frozen=True, kw_only=True):
    """What stands in `.own`, for people, for a lost head, and for a lock that a C fork keeps."""

    service: str = "unknown_service"
    environment: str = "production"
    release: str | None = None
    host: str = ""
    sinks: tuple[str, ...] = ()
    pid: int = 0
    machine: str = ""  # boot and pid namespace: where the pid means something
    started: str = ""  # the process's start, in ticks since boot


class Owner:
    """A lock that is held."""

    def __init__(self, handles: Handles, handle: Handle, own: Path, note: OwnerNote) -> None:
        self.note = note
        self._handles = handles
        self._handle = handle
        self._own = own

    def release(self) -> None:
        """Let others adopt what is left."""
        self._handles.close(self._handle)

    def remove(self) -> None:
        """Delete the file, then let go."""
        self._own.unlink(missing_ok=True)
        self._handle.path.unlink(missing_ok=True)
        self._handles.close(self._handle)


def claim(handles: Handles, folder: Path, writer_id: str, note: OwnerNote) -> Owner:
    """Make `.own` for a new writer: locked before anybody can see it.

    Raises:
        OSError: the disk is full, or has no locks (NFS).
    """
    path = folder / own_name(writer_id)
    temporary = path.with_suffix(".new")
    handle = handles.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    try:
        fcntl.flock(handle.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(handle.fd, msgspec.json.encode(note))
        temporary.rename(path)
        handle.path = path
    except BaseException:
        temporary.unlink(missing_ok=True)
        handles.close(handle)
        raise
    return Owner(handles, handle, path, note)


def take(handles: Handles, folder: Path, writer_id: str, now_ms: int, newest_ms: int) -> Owner | None:
    """Adopt a dead writer's journal; None: its owner lives, or another adopter was first."""
    path = folder / own_name(writer_id)
    handle = _lock(handles, path)
    note = _note(path)
    if handle is None and now_ms - newest_ms >= IDLE_MS and _is_gone(note):
        # The master is dead, but a child that C code forked keeps its lock: a second lock settles who adopts.
        handle = _lock(handles, path.with_suffix(".taken"))
    return None if handle is None else Owner(handles, handle, path, note)


def machine() -> str:
    """Name the boot and pid namespace in which this process's pid counts."""
    try:
        return f"{BOOT.read_text().strip()} {os.readlink(PID_NAMESPACE)}"  # noqa: PTH115 - a magic link
    except OSError:
        return ""


def started(pid: int) -> str:
    """When *pid* started, in ticks since boot; "": no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _lock(handles: Handles, path: Path) -> Handle | None:
    try:
        handle = handles.open(path, os.O_RDWR | os.O_CREAT)
    except OSError:
        return None
    try:
        fcntl.flock(handle.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found = path.lstat()
    except OSError:
        handles.close(handle)
        return None
    if (found.st_dev, found.st_ino) in handle.known:
        return handle
    handles.close(handle)  # its last adopter removed it between our two calls
    return None


def _note(path: Path) -> OwnerNote:
    try:
        return msgspec.json.decode(path.read_bytes()[:_NOTE_BYTES], type=OwnerNote)
    except (OSError, msgspec.DecodeError):
        return OwnerNote()


def _is_gone(note: OwnerNote) -> bool:
    return bool(note.machine) and note.machine == machine() and started(note.pid) != note.started
