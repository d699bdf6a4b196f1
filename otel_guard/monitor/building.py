"""The monitor's parts, made from the settings; the rule file is read again when it changes."""

import os
from collections.abc import Callable, Mapping
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
from otel_guard.monitor.cycle import Cycle, Plan
from otel_guard.monitor.judging import OF_WATCHED_DATABASE, judge
from otel_guard.monitor.runbook import for_rule
from otel_guard.runtime.clock import SYSTEM
from otel_guard.settings import Settings, load
from otel_guard.settings.alerting import Alerting, alerting
from otel_guard.settings.checks import checks
from otel_guard.settings.identity import identity
from otel_guard.settings.loading import FILE_NAME
from otel_guard.settings.rules import rules
from otel_guard.store.dsn import target
from otel_guard.store.inspections import inspector
from otel_guard.store.judging import INSPECTION_MS, asker
from otel_guard.store.lane import Lane

LEFTOVERS_S: Final = 5.0
Say = Callable[[str], None]


class Built:
    """Lanes, channels, courier and the direct way of one monitor."""

    def __init__(self, settings: Settings, dsn: str, say: Say) -> None:
        self.settings = settings
        self.dsn = dsn
        self.who = identity(settings, os.environ)
        self.instance = f"{self.who.host}:{os.getpid()}"
        self.lane = Lane(dsn, SYSTEM)
        self.delivery_lane = Lane(dsn, SYSTEM)  # a slow rule holds no message up
        self.channels: dict[str, Channel] = {}
        self.courier = Courier(self.delivery_lane.transaction, self.channels, SYSTEM, holder=self.instance)
        self._say = say
        self._read_at: object = None
        self._plan: Plan | None = None
        self.direct = self._direct(alerting(settings, os.environ))
        self.plan()

    def plan(self) -> Plan:
        """What holds now; a changed file is read again, a broken one says so by `rules_invalid`."""
        stamp = _stamp()
        if self._plan is None or stamp != self._read_at:
            if self._plan is not None:
                self._say("otel_guard.toml changed: it is read again")
                self.settings = load().settings
            self._read_at = stamp
            self._plan = self._made()
        return self._plan

    def cycle(self, period_s: float | None) -> Cycle:
        """A cycle of the daemon, or (None) of `--once`."""
        return Cycle(
            self.lane.transaction,
            self.plan,
            SYSTEM,
            instance=self.instance if period_s is not None else f"{self.who.host}:once",
            period_s=period_s,
            leftovers=self._leftovers,
            report=report.due_report,
            say=self._say,
        )

    def incidents(self) -> Incidents:
        """Those of the plan that holds."""
        self.plan()
        return self._incidents

    def close(self) -> None:
        """Close the connections."""
        self.lane.close()
        self.delivery_lane.close()

    def _made(self) -> Plan:
        given, found = rules(self.settings), alerting(self.settings, os.environ)
        made = {config.name: channel(config) for config in found.channels}
        self.channels.clear()
        self.channels.update(made)
        self.direct = self._direct(found)
        policy = Policy(
            channels=found.channels,
            escalation=found.escalation,
            url=self.settings.url,
            secret_key=self.settings.secret_key,
            runbooks=for_rule,
        )
        self._incidents = Incidents(policy, SYSTEM)
        return Plan(
            rules=tuple(rule for rule in given.rules if rule.is_enabled),
            problems=(*given.problems, *(line for line in found.problems if line not in found.unset)),
            retention=self.settings.retention,
            incidents=self._incidents,
            judge=self._judge(),
        )

    def _judge(self) -> Callable[[Rule, Moment], list[Finding]]:
        watched = checks(self.settings, os.environ).database
        ask = asker(self.lane)
        inspect = inspector(watched.url) if watched is not None else asker(self.lane, statement_ms=INSPECTION_MS)

        def judged(rule: Rule, moment: Moment) -> list[Finding]:
            return judge(rule, inspect if rule.kind in OF_WATCHED_DATABASE else ask, moment)

        return judged

    def _direct(self, found: Alerting) -> Direct:
        first = next(iter(found.escalation.get("critical", ())), None)
        base = Path(self.settings.journal.dir) if self.settings.journal.dir else default_dir(os.environ)
        folder = base / folder_name(self.who.service, target(self.dsn))
        channels: Mapping[str, Channel] = {config.name: channel(config) for config in found.channels}
        return Direct(channels, first.to if first is not None else (), folder, SYSTEM)

    def _leftovers(self) -> int:
        found = leftovers.folders(self.settings, self.dsn)
        if not found:
            return 0
        return leftovers.deliver(self.settings, self.dsn, found, _unsaid, deadline_s=LEFTOVERS_S).records


def _unsaid(_line: str) -> None:
    """What a sink says of Postgres, the monitor says itself."""


def _stamp() -> object:
    """What changes when the file does."""
    path = Path(os.environ.get("OTEL_GUARD_CONFIG") or FILE_NAME)
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
