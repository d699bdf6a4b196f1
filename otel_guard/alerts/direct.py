"""Alerts while Postgres is away: told directly, once a key in 30 min for all processes, written down later."""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from otel_guard.alerts.channels._base import Channel
from otel_guard.alerts.incidents import Incidents
from otel_guard.core.incident import Incident, Notice, Opening
from otel_guard.journal.place import PlaceRefusedError, prepare
from otel_guard.runtime.clock import Clock
from otel_guard.runtime.ids import uuid7
from otel_guard.store.ask import Database, run
from otel_guard.store.incidents import write_event

EACH_S: Final = 1800.0
AGAIN_S: Final = 30.0  # after no channel took it
STALE_S: Final = 86_400.0
MOST: Final = 1000
SAME: Final = timedelta(minutes=5)  # another process told of it before it happened here
NOTE: Final = "Postgres does not answer: told directly, the incident follows"
TAKEN: Final = frozenset({"ok", "unconfirmed"})
_OPEN: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class Told(Struct, frozen=True):
    """When a key was told, and to which channels."""

    at: datetime
    channels: tuple[str, ...]


class Waiting(Struct, frozen=True):
    """An opening that Postgres has not taken yet, and when it happened."""

    opening: Opening
    at: datetime


class Direct:
    """Sends to critical's first step without Postgres; used by one thread, shared with other processes by files."""

    def __init__(self, channels: Mapping[str, Channel], step: Sequence[str], folder: Path | None, clock: Clock) -> None:
        """*step*: names of channels; *folder*: the journal's, None: this process alone, in memory."""
        self._channels = [channels[name] for name in step if name in channels]
        self._folder = folder
        self._clock = clock
        self._told: dict[str, Told] = {}
        self._waiting: dict[str, Waiting] = {}
        self._not_before = -AGAIN_S

    @property
    def waiting(self) -> int:
        """How many incidents are still to be written down."""
        return len(self._waiting)

    def send(self, opening: Opening) -> bool:
        """Tell of *opening* unless its key was told in the last 30 min; True: a channel took it. Remembered either way."""
        self.remember(opening)
        if not self._channels or self._clock.monotonic() < self._not_before:
            return False
        with self._claimed(opening.dedup_key) as record:
            if record is None or self._is_recent(record.read()):
                return False
            now = self._now()
            notice = Notice(event="fired", incident=_incident(opening, now), at=now, top=(*opening.top, NOTE))
            key = f"direct:{_name(opening.dedup_key)}:{int(now.timestamp())}"
            sent = [each.name for each in self._channels if each.send([notice], key).kind in TAKEN]
            if sent:
                record.write(Told(self._now(), tuple(sent)))
        if not sent:
            self._not_before = self._clock.monotonic() + AGAIN_S
        return bool(sent)

    def remember(self, opening: Opening) -> None:
        """Keep *opening* until `back_fill`; of one key the first time and the sum of occurrences, at most 1,000 keys."""
        known = self._waiting.get(opening.dedup_key)
        if known is not None:
            total = known.opening.occurrences + opening.occurrences
            self._waiting[opening.dedup_key] = Waiting(replace(known.opening, occurrences=total), known.at)
        elif len(self._waiting) < MOST:
            self._waiting[opening.dedup_key] = Waiting(opening, self._now())

    def back_fill(self, incidents: Incidents, database: Database) -> tuple[str, ...]:
        """Open what waits, with its true times; those not told yet, to be delivered. After the commit call `forget`."""
        untold = []
        for key, waiting in self._waiting.items():
            since = waiting.opening.impact_started_at or waiting.at
            opened = incidents.open(database, replace(waiting.opening, impact_started_at=since), waiting.at)
            told = self._last_told(key)
            if told is None or told.at < waiting.at - SAME:
                untold.append(opened.id)
            elif opened.is_new:
                _note_told(database, opened.id, told)
        return tuple(untold)

    def forget(self) -> None:
        """Postgres has all that waited."""
        self._waiting.clear()

    @contextlib.contextmanager
    def _claimed(self, key: str) -> Iterator["_Record | None"]:
        """What is known of *key*, ours while it is told; None: another process tells it right now."""
        handle = self._opened(key)
        if handle is None:
            yield _Record(self._told, key)
            return
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_ours = True
        except OSError:
            is_ours = False
        try:
            yield _Record(self._told, key, handle) if is_ours else None
        finally:
            os.close(handle)

    def _opened(self, key: str, flags: int = _OPEN) -> int | None:
        if self._folder is None:
            return None
        try:
            prepare(self._folder)
            self._sweep(self._folder)
            return os.open(self._folder / f"{_name(key)}.sent", flags, 0o600)
        except (OSError, PlaceRefusedError):
            return None

    def _sweep(self, folder: Path) -> None:
        for path in folder.glob("*.sent"):
            with contextlib.suppress(OSError):
                if self._clock.now_ms() / 1000 - path.stat().st_mtime > STALE_S:
                    path.unlink()

    def _last_told(self, key: str) -> Told | None:
        handle = self._opened(key, _OPEN & ~os.O_CREAT)
        try:
            return _Record(self._told, key, handle).read()
        finally:
            if handle is not None:
                os.close(handle)

    def _is_recent(self, told: Told | None) -> bool:
        return told is not None and abs((self._now() - told.at).total_seconds()) < EACH_S

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC)


class _Record:
    """What was told of a key: in memory, and in its file where there is one."""

    def __init__(self, told: dict[str, Told], key: str, handle: int | None = None) -> None:
        self._told = told
        self._key = key
        self._handle = handle

    def read(self) -> Told | None:
        """The last time; a file without channels is of a try that failed."""
        if self._handle is None:
            return self._told.get(self._key)
        names = os.pread(self._handle, 4096, 0).decode(errors="replace").split()
        at = datetime.fromtimestamp(os.fstat(self._handle).st_mtime, UTC)
        return Told(at, tuple(names)) if names else self._told.get(self._key)

    def write(self, told: Told) -> None:
        """Note it; a full disk leaves it in memory."""
        self._told[self._key] = told
        if len(self._told) > MOST:
            del self._told[next(iter(self._told))]
        if self._handle is None:
            return
        with contextlib.suppress(OSError):
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, "\n".join(told.channels).encode(), 0)
            os.utime(self._handle, (told.at.timestamp(), told.at.timestamp()))


def _name(key: str) -> str:
    return sha256(key.encode(errors="replace")).hexdigest()[:32]


def _note_told(database: Database, incident_id: str, told: Told) -> None:
    channels = list(told.channels)
    run(database, "direct_told", {"id": incident_id, "at": told.at, "channels": channels})
    write_event(database, incident_id, "told_directly", told.at, detail={"channels": channels})


def _incident(opening: Opening, now: datetime) -> Incident:
    return Incident(
        id=uuid7(int(now.timestamp() * 1000)),
        state="firing",
        type=opening.type,
        rule=opening.rule,
        dedup_key=opening.dedup_key,
        severity=opening.severity,
        context=opening.context,
        message=opening.message,
        service=opening.service,
        environment=opening.environment,
        release=opening.release,
        value=opening.value,
        threshold=opening.threshold,
        queries=list(opening.queries),
        labels=dict(opening.labels),
        impact_started_at=opening.impact_started_at or now,
        fired_at=now,
        occurrences=opening.occurrences,
    )
