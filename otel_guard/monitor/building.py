"""The monitor's parts, made from the settings; what the file says is made anew when it changes."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from otel_guard.alerts.channels._base import Channel
from otel_guard.alerts.channels.making import channel
from otel_guard.alerts.courier import Courier
from otel_guard.alerts.direct import Direct
from otel_guard.alerts.incidents import Incidents, Policy
from otel_guard.core.rule import Finding, Moment, Rule
from otel_guard.journal.place import default_dir, folder_name
from otel_guard.monitor import leftovers, report
from otel_guard.monitor.away import Away
from otel_guard.monitor.cycle import Cycle, Plan, Work
from otel_guard.monitor.deadman import Deadman
from otel_guard.monitor.judging import OF_WATCHED_DATABASE, judge
from otel_guard.monitor.lease import Lease
from otel_guard.monitor.offline import Offline
from otel_guard.monitor.rulefile import Read, RuleFile
from otel_guard.monitor.runbook import for_rule
from otel_guard.runtime.clock import SYSTEM, Clock
from otel_guard.runtime.ids import uuid7
from otel_guard.settings import Settings
from otel_guard.settings.alerting import Alerting, alerting
from otel_guard.settings.checks import checks
from otel_guard.settings.identity import identity
from otel_guard.settings.rules import rules
from otel_guard.store.ask import Database
from otel_guard.store.dsn import target
from otel_guard.store.inspections import inspector
from otel_guard.store.judging import INSPECTION_MS, asker
from otel_guard.store.lane import Lane

LEFTOVERS_S: Final = 5.0
Say = Callable[[str], None]


class Built:
    """Connections, channels, rules and what else one monitor needs."""

    def __init__(self, settings: Settings, dsn: str, say: Say) -> None:
        self.settings = settings
        self.who = identity(settings, os.environ)
        self.instance = f"{self.who.host}:{os.getpid()}"
        self.lane = Lane(dsn, SYSTEM)
        self.delivery_lane = Lane(dsn, SYSTEM)  # a slow rule holds up no message, and no lease
        # Containers share host names and process numbers.
        self.lease = Lease(self.delivery_lane.transaction, f"{self.instance}:{uuid7(SYSTEM.now_ms())[-6:]}")
        base = Path(settings.journal.dir) if settings.journal.dir else default_dir(os.environ)
        self._folder = base / folder_name(self.who.service, target(dsn))
        self.away = Away(self.lane.where, self.who.environment, self._folder, SYSTEM)
        self.deadman = Deadman(say)
        self._dsn = dsn
        self._say = say
        self._file = RuleFile(settings)
        self._offline = Offline(lambda: tuple(self._channels), lambda: self.deadman.is_reached, say)
        self._make(self._file.read() or Read(settings, ()))

    def refresh(self) -> None:
        """Read the file again if it has changed."""
        found = self._file.read()
        if found is not None:
            self._say("otel_guard.toml has changed: it is read again")
            for line in found.problems:
                self._say(line)
            self._make(found)

    def cycle(self, period_s: float | None, go_on: Callable[[], bool]) -> Cycle:
        """A cycle of the daemon, or (None) of `--once`."""
        return Cycle(
            self.lane.transaction,
            self.plan,
            Work(leftovers=self._leftovers, is_offline=self._offline, report=self._report),
            SYSTEM,
            instance=self.instance if period_s is not None else f"{self.who.host}:once",
            period_s=period_s,
            say=self._say,
            go_on=go_on,
        )

    def served(self) -> bool:
        """Postgres serves: write down what was told while it did not; True: it did not the last time."""
        return self.away.served(self.lane.transaction, self.incidents, self.direct, self._direct_at)

    def close(self) -> None:
        """Close the connections."""
        self.lane.close()
        self.delivery_lane.close()

    def _make(self, found: Read) -> None:
        self.settings = found.settings
        given, told = rules(self.settings), alerting(self.settings, os.environ)
        watched = checks(self.settings, os.environ)
        self._channels: dict[str, Channel] = {config.name: channel(config) for config in told.channels}
        # Another courier, not other channels in the old one: the delivery thread may be at work with them.
        self.courier = Courier(self.delivery_lane.transaction, self._channels, SYSTEM, holder=self.instance)
        self._step = next((step.to for step in told.escalation.get("critical", ())), ())
        self.direct = self._direct_at(SYSTEM)
        self.incidents = Incidents(self._policy(told), SYSTEM)
        unset = {*told.unset, *watched.unset}
        of_tables = (*given.problems, *told.problems, *watched.problems)
        self.plan = Plan(
            rules=tuple(rule for rule in given.rules if rule.is_enabled),
            problems=(*found.problems, *(line for line in of_tables if line not in unset)),
            retention=self.settings.retention,
            incidents=self.incidents,
            judge=self._judge(watched.database.url if watched.database is not None else None),
        )

    def _policy(self, told: Alerting) -> Policy:
        return Policy(
            channels=told.channels,
            escalation=told.escalation,
            url=self.settings.url,
            secret_key=self.settings.secret_key,
            runbooks=for_rule,
        )

    def _judge(self, watched: str | None) -> Callable[[Rule, Moment], list[Finding]]:
        ask = asker(self.lane)
        inspect = inspector(watched) if watched is not None else asker(self.lane, statement_ms=INSPECTION_MS)

        def judged(rule: Rule, moment: Moment) -> list[Finding]:
            return judge(rule, inspect if rule.kind in OF_WATCHED_DATABASE else ask, moment)

        return judged

    def _direct_at(self, clock: Clock) -> Direct:
        return Direct(self._channels, self._step, self._folder, clock)

    def _leftovers(self) -> None:
        found = leftovers.folders(self.settings, self._dsn)
        if found:
            # What a sink says of Postgres, the monitor says itself.
            leftovers.deliver(self.settings, self._dsn, found, lambda _line: None, deadline_s=LEFTOVERS_S)

    def _report(self, database: Database, now: datetime) -> object:
        return report.due_report(database, now)
