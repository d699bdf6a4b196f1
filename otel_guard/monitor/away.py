"""Postgres does not answer the monitor: told directly, once, and over when it answers again."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from otel_guard.alerts.courier import Courier
from otel_guard.alerts.direct import Direct
from otel_guard.alerts.incidents import Incidents
from otel_guard.core.exceptions import OtelGuardError
from otel_guard.core.incident import Opening
from otel_guard.runtime.clock import Clock
from otel_guard.store import incidents as store
from otel_guard.store.ask import Database

KEY: Final = "monitor:postgres_away"
PATIENCE_S: Final = 20.0  # a restart is no news


class Away:
    """How long Postgres has not answered."""

    def __init__(self, where: str, environment: str, clock: Clock) -> None:
        self._where = where
        self._environment = environment
        self._clock = clock
        self._since: tuple[float, datetime] | None = None
        self._is_told = False

    @property
    def is_away(self) -> bool:
        """Whether it did not answer at the last try."""
        return self._since is not None

    def failed(self, direct: Direct, why: str, *, patience_s: float = PATIENCE_S) -> bool:
        """It did not answer; True: somebody was told just now."""
        now = self._clock.monotonic()
        if self._since is None:
            self._since = now, datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC)
        if now - self._since[0] < patience_s:
            return False
        is_new = direct.send(self._opening(why, self._since[1]))
        self._is_told = True
        return is_new

    def answered(self, database: Database, incidents: Incidents, direct: Direct) -> tuple[str, ...]:
        """It answers: write down what was told, end what is over; ids of incidents nobody heard of yet."""
        self._since = None
        untold = direct.back_fill(incidents, database) if direct.waiting else ()
        if self._is_told:
            for incident in store.list_open(database):
                if incident.dedup_key == KEY:
                    incidents.resolve(database, incident.id, "monitor")
        return untold

    def committed(self, direct: Direct, courier: Courier, untold: tuple[str, ...]) -> None:
        """After the commit."""
        direct.forget()
        self._is_told = False
        for incident_id in untold:
            with suppress(OtelGuardError):  # the next delivery takes it
                courier.deliver(incident_id=incident_id)

    def _opening(self, why: str, since: datetime) -> Opening:
        return Opening(
            type="postgres_away",
            rule=None,
            dedup_key=KEY,
            severity="critical",
            context="database",
            message=f"The audit Postgres ({self._where}) does not answer the monitor: no rule is judged",
            environment=self._environment,
            impact_started_at=since,
            top=(why[:200],),
        )
