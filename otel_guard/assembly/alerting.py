"""Channels, incidents and the fast path of this process."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from otel_guard.alerts.channels.making import channel
from otel_guard.alerts.courier import Courier
from otel_guard.alerts.direct import Direct
from otel_guard.alerts.fast_path import FastPath
from otel_guard.alerts.incidents import Incidents, Policy
from otel_guard.alerts.sending import Alerts
from otel_guard.assembly.monitor_watch import RULE, MonitorWatch
from otel_guard.core.incident import Opening
from otel_guard.monitor.runbook import for_rule
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.settings import Settings
from otel_guard.settings.alerting import alerting
from otel_guard.settings.identity import Identity
from otel_guard.settings.rules import rules
from otel_guard.store.lane import Lane

AT_ONCE: Final = "critical_error"
FILE: Final = "otel_guard.toml"


class Alerting:
    """Reads rules and channels; makes the fast path when there is a Postgres."""

    def __init__(
        self,
        settings: Settings,
        who: Identity,
        folder: Path | None,
        redact: Callable[[str], str],
        failsafe: Failsafe,
        problems: list[str],
    ) -> None:
        found, given = alerting(settings, os.environ), rules(settings)
        problems += [f"{FILE}: {line}" for line in (*given.problems, *found.problems)]
        self.path: FastPath | None = None
        self.alerts = Alerts(who, self._put, redact)
        self._who = who
        self._failsafe = failsafe
        on = {rule.name for rule in given.rules if rule.is_enabled}
        self.monitor = MonitorWatch(who, self._put, SYSTEM, is_on=RULE in on)
        self._is_on = AT_ONCE in on
        self._channels = {config.name: channel(config) for config in found.channels}
        first = next(iter(found.escalation.get("critical", ())), None)
        self._direct = Direct(self._channels, first.to if first is not None else (), folder, SYSTEM)
        policy = Policy(
            channels=found.channels,
            escalation=found.escalation,
            url=settings.url,
            secret_key=settings.secret_key,
            runbooks=for_rule,
        )
        self.incidents = Incidents(policy, SYSTEM)

    def fast_path(self, lane: Lane) -> FastPath:
        """The sink `alerts`, on the connection that the records take."""
        courier = Courier(lane.transaction, self._channels, SYSTEM, holder=f"{self._who.host}:{os.getpid()}")
        self.path = FastPath(
            self.incidents, courier, lane.transaction, self._direct, SYSTEM, failsafe=self._failsafe, is_on=self._is_on
        )
        return self.path

    def close(self) -> None:
        """Let a message that is under way go out."""
        if self.path is not None:
            self.path.close()

    def _put(self, opening: Opening) -> bool:
        if self.path is None:
            return False
        self.path.put(opening)
        return True
