"""Where refused records and damaged bytes go: kept for people, bounded, never read again."""

import os
import re
from pathlib import Path
from typing import Final

from otel_guard.journal.handles import SAFE

LIMIT_BYTES: Final = 16 * 1024 * 1024
_ODD: Final = re.compile(r"[^A-Za-z0-9-]")


class QuarantineFolder:
    """`quarantine/` of a journal folder; None: memory mode, only counted."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder / "quarantine" if folder else None
        self.records = 0
        self.damaged = 0
        self.damaged_bytes = 0

    def put_record(self, record_id: str, payload: bytes, why: str) -> None:
        """Keep a record that a sink refused; the same one again is not counted again."""
        if self._write(_ODD.sub("_", record_id)[:64], payload, why):
            self.records += 1

    def put_damage(self, name: str, data: bytes, why: str) -> None:
        """Keep bytes that are no record."""
        if self._write(name, data, why):
            self.damaged += 1
            self.damaged_bytes += len(data)

    def put_file(self, path: Path, why: str) -> None:
        """Keep a whole segment that cannot be read."""
        if self._folder is None or not path.exists():
            return
        self.damaged += 1
        self.damaged_bytes += path.stat().st_size
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            if self._usage() + path.stat().st_size <= LIMIT_BYTES:
                path.rename(self._folder / f"{path.stem}.rec")
                _create(self._folder / f"{path.stem}.why", why.encode(errors="replace"))
        except OSError:
            return  # it stays where it is, unread

    def _write(self, name: str, data: bytes, why: str) -> bool:
        """Whether it is new."""
        if self._folder is None:
            return True
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            if self._usage() + len(data) > LIMIT_BYTES:
                return not (self._folder / f"{name}.rec").exists()
            _create(self._folder / f"{name}.rec", data)
            _create(self._folder / f"{name}.why", why.encode(errors="replace"))
        except FileExistsError:
            return False
        except OSError:
            return True  # counted all the same
        return True

    def _usage(self) -> int:
        if self._folder is None:
            return 0
        with os.scandir(self._folder) as entries:
            return sum(entry.stat(follow_symlinks=False).st_size for entry in entries)


def _create(path: Path, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | SAFE, 0o600)
    try:
        os.write(fd, data)
    finally:
        os.close(fd)
