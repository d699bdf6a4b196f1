"""Postgres does not serve the monitor: told directly, once, and written down when it serves again."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from otel_guard.alerts.direct import Direct
from otel_guard.alerts.incidents import Incidents
from otel_guard.core.exceptions import OtelGuardError, SchemaError
from otel_guard.core.incident import Opening
from otel_guard.monitor.failing import said
from otel_guard.runtime.clock import Clock
from otel_guard.store import incidents as store
from otel_guard.store import outbox
from otel_guard.store.ask import Database

KEY: Final = "monitor:postgres_away"
FILE: Final = "postgres_away.since"
PATIENCE_S: Final = 20.0  # a restart is no news
Transaction = Callable[[], AbstractContextManager[Database]]


class Away:
    """How long Postgres has not served; what was told of it outlives the process in a file beside the journals."""

    def __init__(self, where: str, environment: str, folder: Path, clock: Clock) -> None:
        """*where* is `host:port/database`."""
        self._where = where
        self._environment = environment
        self._told = folder / FILE
        self._clock = clock
        self._since: float | None = None

    @property
    def is_away(self) -> bool:
        """Whether it did not serve at the last try."""
        return self._since is not None

    def failed(self, direct: Direct, why: OtelGuardError, *, patience_s: float = PATIENCE_S) -> bool:
        """It did not serve; True: somebody was told just now."""
        now = self._clock.monotonic()
        if self._since is None:
            self._since = now
        if now - self._since < patience_s:
            return False
        since = self._told_since() or datetime.fromtimestamp(self._clock.now_ms() / 1000 - (now - self._since), UTC)
        is_told = direct.send(self._opening(since, why))
        if is_told:
            with suppress(OSError):  # then this process alone knows
                self._told.write_text(since.isoformat(), encoding="ascii")
        return is_told

    def served(self, transaction: Transaction, incidents: Incidents, direct: Direct, at: "DirectAt") -> bool:
        """It serves: write down what was told, end it; True: it had not served the last time.

        *at* makes a Direct whose clock stands, for what another process told. Raises as *transaction*.
        """
        since = self._told_since()
        if since is not None and not direct.waiting:
            direct = at(_Standing(since))
            direct.remember(self._opening(since, None))
        if direct.waiting:
            with transaction() as database:
                _write_down(database, incidents, direct)
            direct.forget()
        with suppress(OSError):
            self._told.unlink(missing_ok=True)
        was_away, self._since = self.is_away, None
        return was_away

    def _told_since(self) -> datetime | None:
        """Since when, as somebody was told."""
        try:
            since = datetime.fromisoformat(self._told.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None
        return since if since.tzinfo is not None else None

    def _opening(self, since: datetime, why: OtelGuardError | None) -> Opening:
        does = "cannot be used by" if isinstance(why, SchemaError) else "does not answer"
        return Opening(
            type="postgres_away",
            rule=None,
            dedup_key=KEY,
            severity="critical",
            context="database",
            message=f"The audit Postgres ({self._where}) {does} the monitor: no rule is judged until it does",
            environment=self._environment,
            impact_started_at=since,
            top=() if why is None else (said(why),),
        )


class _Standing:
    """A clock that stands."""

    def __init__(self, at: datetime) -> None:
        self._at = at.timestamp()

    def now_ms(self) -> int:
        return int(self._at * 1000)

    def monotonic(self) -> float:
        return self._at

    def sleep(self, _seconds: float) -> None:
        """Nothing waits here."""


DirectAt = Callable[[Clock], Direct]


def _write_down(database: Database, incidents: Incidents, direct: Direct) -> None:
    untold = direct.back_fill(incidents, database)
    for incident in store.list_open(database):
        if incident.dedup_key == KEY:
            incidents.resolve(database, incident.id, "monitor")
    outbox.drop(database, list(untold), "fired")  # it is over, and nobody has heard of it
