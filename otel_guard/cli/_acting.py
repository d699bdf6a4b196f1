"""What the commands that act on incidents share: who acts, on which one, and how it is shown."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from typing import Final

import msgspec

from otel_guard.alerts.channels.making import channel
from otel_guard.alerts.courier import Courier
from otel_guard.alerts.incidents import Incidents, Policy
from otel_guard.cli._base import FAILED, SHOWN, USAGE, Problem, now
from otel_guard.core.exceptions import OtelGuardError
from otel_guard.core.incident import Incident
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.suppression import sending
from otel_guard.settings import Settings
from otel_guard.settings.alerting import alerting
from otel_guard.store import incidents as store
from otel_guard.store.ask import Database
from otel_guard.store.lane import Lane

NAME_LIMIT: Final = 100
_AGES: Final = ((86400 * 2, 86400, "d"), (7200, 3600, "h"), (60, 60, "m"))


def actor(by: str | None) -> str:
    """Who acts: as given, else the user of this terminal."""
    return (by or os.environ.get("USER") or "cli").strip()[:NAME_LIMIT] or "cli"


def acting(given: Settings) -> Incidents:
    """The incidents, with the channels of the settings."""
    found = alerting(given, os.environ)
    for line in found.problems:
        sys.stderr.write(f"otel-guard: {line}\n")
    return Incidents(
        Policy(channels=found.channels, escalation=found.escalation, url=given.url, secret_key=given.secret_key),
        SYSTEM,
    )


@contextmanager
def writing(dsn: str) -> Iterator[Database]:
    """One transaction."""
    with closing(Lane(dsn, SYSTEM)) as lane, sending(), lane.transaction() as database:
        yield database


def deliver(given: Settings, dsn: str, incident_id: str) -> None:
    """Send the messages of an incident now; what does not go out, the monitor sends."""
    channels = {config.name: channel(config) for config in alerting(given, os.environ).channels}
    with closing(Lane(dsn, SYSTEM)) as lane, suppress(OtelGuardError):
        Courier(lane.transaction, channels, SYSTEM, holder="otel-guard").deliver(incident_id=incident_id)


def chosen(database: Database, ending: str) -> Incident:
    """The one whose id ends so; a problem if there is none or more than one."""
    found = store.find(database, ending)
    if not found:
        raise Problem(f"no incident {ending!r}", "see `otel-guard alerts --all` for those there are", FAILED)
    if len(found) > 1:
        which = "; ".join(f"{each.id} {each.rule or each.type} {each.state}" for each in found)
        raise Problem(f"{len(found)} incidents end in {ending!r}: {which}", "give more of its id", USAGE)
    return found[0]


def shown_id(identifier: str) -> str:
    """The end of an id, by which it is taken, too: its beginning is the time."""
    return identifier[-SHOWN:]


def row(incident: Incident) -> dict[str, object]:
    """Its columns, for `--json`."""
    columns: dict[str, object] = msgspec.structs.asdict(incident)
    return columns


def age(at: datetime | None) -> str:
    """How long since *at*: 45s, 4m, 3h, 5d."""
    if at is None:
        return ""
    seconds = max(0, int((now() - at).total_seconds()))
    return next((f"{seconds // unit}{name}" for least, unit, name in _AGES if seconds >= least), f"{seconds}s")
