"""The journal: its folder can be written, outlives the container, and is not full of what nobody delivered."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from otel_guard.assembly import parts
from otel_guard.assembly.sinks import target_of
from otel_guard.doctor._base import Finding, Look, Status
from otel_guard.journal.adoption import journals_in
from otel_guard.journal.place import is_durable
from otel_guard.runtime.clock import SYSTEM

GROUP: Final = "journal"
MIB: Final = 1024 * 1024
FULL: Final = 0.5  # of the limit
OLD_S: Final = 600
ELSEWHERE: Final = "set OTEL_GUARD_JOURNAL_DIR to a folder that this user may write"


def check(look: Look) -> Iterator[Finding]:
    """Where it is, then what lies in it."""
    folder = parts.folder(look.settings, look.who, target_of(look.settings, []))
    if look.settings.dsn is None and not look.environ.get("SENTRY_DSN"):
        yield _row("journal", "absent", "in memory: there is no Postgres and no Sentry to keep records for")
        return
    if why := _refused(folder):
        yield _row("journal", "failed", f"records would stay in memory: {why}", ELSEWHERE)
        return
    if is_durable(_nearest(folder)):
        yield _row("journal", "ok", f"{folder} can be written")
    else:
        fix = "mount a volume there, or set OTEL_GUARD_JOURNAL_DIR to one"
        yield _row("journal", "warning", f"{folder} goes with its container: what waits there is lost then", fix)
    if folder.is_dir():
        yield from _contents(look, folder)


def _contents(look: Look, folder: Path) -> Iterator[Finding]:
    used = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    limit = look.settings.journal.limit_mb * MIB
    found = journals_in(folder)
    age_s = max((SYSTEM.now_ms() - each.newest_ms for each in found), default=0) / 1000
    detail = f"{len(found)} journals, {used / MIB:.1f} of {limit / MIB:.0f} MiB"
    if used >= FULL * limit:
        fix = "see that Postgres takes records, then run `otel-guard drain`"
        yield _row("backlog", "failed" if used >= limit else "warning", detail, fix)
    elif age_s >= OLD_S:
        yield _row(
            "backlog", "warning", f"{detail}, the oldest untouched for {age_s / 60:.0f} min", "run `otel-guard drain`"
        )
    else:
        yield _row("backlog", "ok", detail)
    refused = sum(1 for _ in (folder / "quarantine").glob("*.rec"))
    if refused:
        fix = f"read the .why files in {folder / 'quarantine'}, then delete them"
        yield _row("quarantine", "warning", f"{refused} records that no sink could take", fix)


def _refused(folder: Path) -> str:
    """Why nothing can be written in *folder*; nothing is made that was not there."""
    nearest = _nearest(folder)
    if not nearest.is_dir():
        return f"{nearest} is no folder"
    if not os.access(nearest, os.W_OK | os.X_OK):
        return f"{nearest} may not be written"
    if folder.is_symlink() or (folder.exists() and folder.stat().st_uid != os.geteuid()):
        return f"{folder} is a link, or belongs to another user"
    try:
        with tempfile.TemporaryFile(dir=nearest) as file:
            file.write(b"doctor")
            file.flush()
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return f"{nearest}: {error.strerror or type(error).__name__}"
    return ""


def _nearest(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists() or path.is_symlink())


def _row(name: str, status: Status, detail: str, fix: str = "") -> Finding:
    return Finding(group=GROUP, name=name, status=status, detail=detail, fix=fix)
