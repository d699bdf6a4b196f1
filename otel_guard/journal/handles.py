"""Open files that notice when the application closed their number, or gave it to another file."""

import os
import stat
from pathlib import Path
from typing import Final

from otel_guard.core.exceptions import OtelGuardError

LOOKS: Final = 3  # between our looking and our comparing, other threads may have gone on by several segments
DESCRIPTORS: Final = "/proc/self/fd"
SAFE: Final = os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)


class LostFileError(OtelGuardError):
    """A file of the journal was closed, replaced or deleted by somebody else."""


class Handle:
    """One open file; `dup2` may put its successor on the same number."""

    __slots__ = ("fd", "known", "path")

    def __init__(self, fd: int, path: Path) -> None:
        self.fd = fd
        self.path = path
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(f"{path.name} is not a plain file")
        self.known: tuple[tuple[int, int], ...] = ((found.st_dev, found.st_ino),)

    def stat(self) -> os.stat_result:
        """Return the file's status; LostFileError if it is no longer the one we opened."""
        for _ in range(LOOKS):
            try:
                found = os.fstat(self.fd)
            except OSError as error:
                raise LostFileError from error
            if (found.st_dev, found.st_ino) in self.known and found.st_nlink:
                return found
        raise LostFileError

    def is_still_ours(self) -> bool:
        """Whether the number still stands for our file, deleted or not."""
        try:
            found = os.fstat(self.fd)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) in self.known


class Handles:
    """All open files of one process's journal, so that a forked child can close what it inherited."""

    def __init__(self) -> None:
        self._open: dict[int, Handle] = {}

    def open(self, path: Path, flags: int) -> Handle:
        """Open *path* with mode 0600; OSError for what is not a plain file of ours."""
        fd = os.open(path, flags | SAFE, 0o600)
        try:
            if flags & os.O_CREAT:
                os.fchmod(fd, 0o600)
            handle = Handle(fd, path)
        except BaseException:
            os.close(fd)
            raise
        self._open[fd] = handle
        return handle

    def close(self, handle: Handle) -> None:
        """Close *handle*, unless its number belongs to another file by now."""
        if self._open.get(handle.fd) is handle:
            del self._open[handle.fd]
            if handle.is_still_ours():
                os.close(handle.fd)

    def close_all(self) -> None:
        """Close everything; closing (never unlocking) leaves a parent's lock alone."""
        for handle in list(self._open.values()):
            self.close(handle)


def close_inherited(folder: Path) -> None:
    """In a forked child: close what another thread had just opened of *folder* when it forked."""
    place = os.path.realpath(folder)
    try:
        numbers = [int(name) for name in os.listdir(DESCRIPTORS)]  # noqa: PTH208 - numbers, not paths
    except OSError:  # not Linux: the little that may be open is closed with the process
        return
    for fd in numbers:
        try:
            opened = os.readlink(f"{DESCRIPTORS}/{fd}")  # noqa: PTH115 - a magic link
            if opened == place or opened.startswith(f"{place}/"):
                os.close(fd)
        except OSError:
            continue  # the one that listed them
