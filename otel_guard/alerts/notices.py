"""A change of an incident as what a channel is told."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from otel_guard.alerts.links import acknowledge_url
from otel_guard.alerts.policy import Policy
from otel_guard.core.duration import shown
from otel_guard.core.incident import Event, Incident, Notice
from otel_guard.store.incidents import Deployment

SHORT: Final = 7
MINUTE_S: Final = 60.0
_HEX: Final = frozenset("0123456789abcdef")


class Facts(Struct, frozen=True, kw_only=True):
    """What messages tell beside the incident; stored with the event that told it first."""

    top: tuple[str, ...] = ()
    deployed: str | None = None
    ingested_at: datetime | None = None


def notice(policy: Policy, event: Event, incident: Incident, now: datetime, facts: Facts) -> Notice:
    """All that a channel needs to render it, also much later."""
    runbook_id, steps = policy.runbooks(incident.rule or incident.type)
    base = policy.url.rstrip("/") if policy.url else None
    return Notice(
        event=event,
        incident=incident,
        at=now,
        top=facts.top,
        deployed=facts.deployed,
        runbook=tuple(steps[:3]),
        runbook_id=runbook_id,
        url=f"{base}/alerts/{incident.id}" if base else None,
        acknowledge_url=acknowledge_url(policy.url, policy.secret_key, incident.id, int(now.timestamp() * 1000)),
        acknowledge_command=f"otel-guard ack {incident.id[-6:]}",
    )


def remark(deployment: Deployment | None, since: datetime) -> str | None:
    """`6 min after deploy a1b2c3d`."""
    if deployment is None:
        return None
    passed_s = max((since - deployment.at).total_seconds(), 0.0)
    rounded_s = passed_s // MINUTE_S * MINUTE_S if passed_s >= 2 * MINUTE_S else math.floor(passed_s)
    return f"{shown(rounded_s)} after deploy {_short(deployment.release)}"


def retold(written: Notice, event: Event, held: int) -> Notice:
    """Say *written* as *event*; what is over before anybody heard of it is told once, with its end."""
    told = replace(written, event=event, held=held if event == "held" else written.held)
    ended = told.incident.resolved_at
    if event != "fired" or ended is None or told.incident.state != "resolved":
        return told
    since = told.incident.impact_started_at or told.incident.fired_at or ended
    lasted_s = max((ended - since).total_seconds(), 0.0)
    message = f"{told.incident.message}; over since, it lasted {shown(math.floor(lasted_s))}"
    return replace(told, incident=replace(told.incident, message=message))


def facts_of(detail: Mapping[str, Any]) -> Facts:
    """Read what `detail` of an event says; what is not there has its default."""
    known = {name: detail[name] for name in Facts.__struct_fields__ if detail.get(name) is not None}
    return msgspec.convert(known, Facts)


def _short(release: str) -> str:
    return release[:SHORT] if len(release) > 2 * SHORT and set(release.lower()) <= _HEX else release
