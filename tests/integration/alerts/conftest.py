"""Incidents and a courier on a real Postgres, with a clock that stands and channels that remember."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from otel_guard.alerts.channels._base import Channel
from otel_guard.alerts.courier import Courier, Sent
from otel_guard.alerts.incidents import Followed, Incidents, Opened, Policy
from otel_guard.core.incident import Answer, Incident, Notice, Opening
from otel_guard.core.rule import Finding, Moment, Rule
from otel_guard.settings.alerting import ChannelConfig, Escalation
from otel_guard.store import incidents
from otel_guard.store.ask import Database
from otel_guard.store.lane import Lane

Query = Callable[..., list[dict[str, Any]]]
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
OK = Answer(kind="ok", status=200)
DOWN = Answer(kind="retry", status=503, detail="503 Service Unavailable")
CYCLE_S = 15.0


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def now_ms(self) -> int:
        return int(self.now.timestamp() * 1000)

    def monotonic(self) -> float:
        return self.now.timestamp()

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Remembering:
    """A channel at the edge: answers as told, remembers what it was sent."""

    def __init__(self, name: str, *, groups: bool = False) -> None:
        self.name = name
        self.groups = groups
        self.answer: Answer | Callable[[], Answer] = OK
        self.tries: list[tuple[str, tuple[Notice, ...]]] = []
        self.taken: list[tuple[Notice, ...]] = []

    def send(self, notices: Sequence[Notice], key: str) -> Answer:
        self.tries.append((key, tuple(notices)))
        answer = self.answer() if callable(self.answer) else self.answer
        if answer.kind in {"ok", "unconfirmed"}:
            self.taken.append(tuple(notices))
        return answer

    @property
    def said(self) -> list[str]:
        """Each message as `fired burst`, notices of one message joined."""
        return [
            ", ".join(f"{each.event} {each.incident.rule or each.incident.type}" for each in one) for one in self.taken
        ]


class World:
    """One database, one clock, the channels `slack` (groups) and `make`."""

    def __init__(self, dsn: str, query: Query) -> None:
        self.dsn = dsn
        self.query = query
        self.clock = Clock()
        self.slack = Remembering("slack", groups=True)
        self.make = Remembering("make")
        self.channels: dict[str, Channel] = {"slack": self.slack, "make": self.make}
        self._lanes: list[Lane] = []
        self.lane = self.new_lane()
        self.incidents = Incidents(self.policy(), self.clock)
        self.courier = self.new_courier()

    def policy(self, **fields: Any) -> Policy:
        both = ("slack", "make")
        values: dict[str, Any] = {
            "channels": tuple(ChannelConfig(name=name, type="webhook", url="https://x.test") for name in both),
            "escalation": {
                "critical": (Escalation(0, both), Escalation(600, both), Escalation(1800, both)),
                "high": (Escalation(0, both),),
                "medium": (Escalation(0, both),),
                "low": (),
            },
            "runbooks": lambda rule: ("high-error-rate", ("Look", "Roll back")) if rule == "burst" else (None, ()),
        }
        return Policy(**(values | fields))

    def new_lane(self) -> Lane:
        lane = Lane(self.dsn, self.clock)
        self._lanes.append(lane)
        return lane

    def new_courier(self, lane: Lane | None = None) -> Courier:
        transaction = (lane or self.lane).transaction
        return Courier(transaction, self.channels, self.clock, holder="test", jitter=lambda: 0.0)

    @contextmanager
    def database(self) -> Iterator[Database]:
        with self.lane.transaction() as database:
            yield database

    def moment(self) -> Moment:
        return Moment(now=self.clock.now, gap_s=CYCLE_S, period_s=CYCLE_S)

    def follow(self, rule: Rule, *findings: Finding) -> Followed:
        with self.database() as database:
            return self.incidents.follow(database, rule, findings, self.moment())

    def open(self, opening: Opening) -> Opened:
        with self.database() as database:
            return self.incidents.open(database, opening)

    def fire(self, name: str, severity: str = "high") -> str:
        return self.open(opening(name, severity)).id

    def resolve(self, incident_id: str) -> bool:
        with self.database() as database:
            return self.incidents.resolve(database, incident_id, "ana")

    def acknowledge(self, incident_id: str) -> bool:
        with self.database() as database:
            return self.incidents.acknowledge(database, incident_id, "ana")

    def escalate(self) -> int:
        with self.database() as database:
            return self.incidents.escalate(database, self.clock.now)

    def deliver(self, incident_id: str | None = None) -> Sent:
        return self.courier.deliver(incident_id=incident_id)

    def later(self, seconds: float) -> None:
        self.clock.sleep(seconds)

    def all(self) -> list[Incident]:
        with self.database() as database:
            rows = self.query("SELECT id FROM otel_guard.incidents WHERE state <> 'pending' ORDER BY fired_at, id")
            return [incidents.find(database, str(row["id"]))[0] for row in rows]

    def the_one(self) -> Incident:
        (one,) = self.all()
        return one

    def kinds(self, incident_id: str) -> list[str]:
        with self.database() as database:
            return [row["kind"] for row in incidents.events(database, incident_id)]

    def outbox(self) -> list[tuple[str, str, str]]:
        rows = self.query(
            "SELECT channel, kind, state FROM otel_guard.alert_outbox ORDER BY channel DESC, payload ->> 'at', kind"
        )
        return [(row["channel"], row["kind"], row["state"]) for row in rows]

    def close(self) -> None:
        for lane in self._lanes:
            lane.close()


def opening(name: str, severity: str = "high", **fields: Any) -> Opening:
    values: dict[str, Any] = {
        "type": name,
        "rule": name,
        "dedup_key": f"{name}:prod:web",
        "severity": severity,
        "message": f"{name} is bad",
        "service": "web",
        "environment": "prod",
    }
    return Opening(**(values | fields))


@pytest.fixture
def world(dsn: str, query: Query) -> Iterator[World]:
    made = World(dsn, query)
    yield made
    made.close()
