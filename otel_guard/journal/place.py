"""Where a journal lives: the folder's name, its checks, and whether its disk outlives the container."""

import os
import re
import stat
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

from otel_guard.core.exceptions import OtelGuardError

BAD_TARGET: Final = "00000000"
VOLATILE: Final = frozenset({"tmpfs", "ramfs", "overlay", "aufs"})
MOUNTS: Final = Path("/proc/self/mountinfo")
_ODD: Final = re.compile(r"[^A-Za-z0-9._-]")


class PlaceRefusedError(OtelGuardError):
    """The journal folder cannot be used."""


def folder_name(service: str, target: str | None) -> str:
    """`<service>-<8 hex>` of *target* `host:port/database`; None: no DSN, "bad": one that cannot be read."""
    plain = _ODD.sub("_", service)[:64]
    if target is None:
        return f"{plain}-sentry"
    return f"{plain}-{BAD_TARGET if target == 'bad' else sha256(target.encode()).hexdigest()[:8]}"


def waiting_room(folder: Path) -> Path | None:
    """Where records of the same service wait while its DSN cannot be read; None: *folder* has no such neighbour."""
    service, _, target = folder.name.rpartition("-")
    if not service or target in {BAD_TARGET, "sentry"}:
        return None
    return folder.with_name(f"{service}-{BAD_TARGET}")


def default_dir(environ: Mapping[str, str]) -> Path:
    """Where journals go without `journal.dir`."""
    if state := environ.get("STATE_DIRECTORY", "").partition(":")[0]:
        return Path(state) / "otel_guard"
    if os.access("/var/lib", os.W_OK):
        return Path("/var/lib/otel_guard")
    if state := environ.get("XDG_STATE_HOME", ""):
        return Path(state) / "otel_guard"
    return Path(environ.get("HOME") or Path("~").expanduser()) / ".local" / "state" / "otel_guard"


def prepare(folder: Path) -> None:
    """Make *folder*, 0700, or check it: a symlink or another owner's folder is refused.

    Raises:
        PlaceRefusedError: it is not ours.
        OSError: it cannot be made.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise PlaceRefusedError(f"{folder} is no folder but a link or file: set OTEL_GUARD_JOURNAL_DIR to another")
    if found.st_uid != os.geteuid():
        raise PlaceRefusedError(f"{folder} belongs to another user: set OTEL_GUARD_JOURNAL_DIR to a folder of this one")
    if stat.S_IMODE(found.st_mode) != 0o700:  # noqa: PLR2004 - a mode says itself
        folder.chmod(0o700)


def is_durable(folder: Path, mounts: str | None = None) -> bool:
    """Whether the disk of *folder* outlives this container; True where that cannot be told."""
    try:
        text = MOUNTS.read_text(errors="replace") if mounts is None else mounts
    except OSError:
        return True
    path = os.path.realpath(folder)
    best, kind = "", ""
    for line in text.splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split()
        if len(fields) < 5 or not right:  # noqa: PLR2004 - proc(5): the mount point is the fifth field
            continue
        point = fields[4].replace("\\040", " ")
        if len(point) >= len(best) and (path == point or path.startswith(point.rstrip("/") + "/")):
            best, kind = point, right.split()[0]
    return kind not in VOLATILE
