"""How much a journal folder may take, and what is no longer kept when it is nearly full."""

import os
from pathlib import Path
from typing import Final

from otel_guard.core.record import CallStats, Drops, Record, Repeat, SlowCall

TIGHT: Final = 0.8
RESERVE_BYTES: Final = 1024 * 1024  # for counts, once nothing else fits

FREE, NARROW, FULL, SHUT = range(4)


def admits(kind: type[Record], level: int) -> bool:
    """Whether a record of *kind* is kept at *level*: first samples go, then all but counts, then those."""
    if level == FREE:
        return True
    if level == NARROW:
        return kind not in {CallStats, SlowCall}
    return level == FULL and kind in {Repeat, Drops}


def level_of(used: int, limit: int, reserve: int = RESERVE_BYTES) -> int:
    """Return how full *used* of *limit* bytes is."""
    if used >= limit:
        return FULL if used < limit + reserve else SHUT
    return NARROW if used >= limit * TIGHT else FREE


class Quota:
    """The folder's usage, measured each second and estimated in between."""

    def __init__(self, folder: Path | None, limit_bytes: int) -> None:
        self.used_bytes = 0
        self.limit_bytes = limit_bytes
        self._folder = folder
        self._most_bytes = limit_bytes
        self._appended_before = 0

    def level(self, appended: int) -> int:
        """Return how full it is; *appended*: what this writer wrote so far, measured or not."""
        return level_of(self.used_bytes + max(appended - self._appended_before, 0), self.limit_bytes)

    def measure(self, appended: int) -> None:
        """Look at the disk: the limit is at most half of what is free, the folder's own bytes included."""
        self._appended_before = appended
        if self._folder is None:
            return
        used = 0
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.endswith(".seg"):
                    used += _size(entry)
        disk = os.statvfs(self._folder)
        self.used_bytes = used
        self.limit_bytes = min(self._most_bytes, (disk.f_bavail * disk.f_frsize + used) // 2)


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:  # deleted meanwhile
        return 0
