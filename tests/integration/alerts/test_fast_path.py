"""From a batch of the journal to a message on Slack, through a real Postgres."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from otel_guard.alerts import fast_path
from otel_guard.alerts.channels.making import channel
from otel_guard.alerts.courier import Courier
from otel_guard.alerts.direct import Direct
from otel_guard.alerts.fast_path import FastPath
from otel_guard.alerts.incidents import Incidents, Policy
from otel_guard.core.delivery import Batch, Delivered
from otel_guard.core.record import Amendment, ErrorRecord, Head, Record, Repeat
from otel_guard.demo.standins import slack
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.runtime.ids import uuid7
from otel_guard.settings.alerting import ChannelConfig, Escalation
from otel_guard.store.ask import Database
from otel_guard.store.lane import Lane

HEAD = Head(version=1, writer_id="w", number=1, service="shop", environment="prod", release="a1b2c3d", host="web-1")
NOWHERE = "postgresql://u@127.0.0.1:1/x"
Query = Callable[..., list[dict[str, Any]]]


class Scene:
    """A fast path whose Postgres can go away."""

    def __init__(self, dsn: str, ops: slack.Slack, folder: Path) -> None:
        config = ChannelConfig(name="ops", type="slack", url=ops.url)
        steps = (Escalation(0.0, ("ops",)), Escalation(600.0, ("ops",)))
        policy = Policy(
            channels=(config,),
            escalation={"critical": steps},
            url=None,
            secret_key=None,
            runbooks=lambda _rule: (None, ()),
        )
        self.ops = ops
        self.is_away = False
        self._lanes = (Lane(dsn, SYSTEM), Lane(NOWHERE, SYSTEM))
        channels = {"ops": channel(config)}
        incidents = Incidents(policy, SYSTEM)
        self.direct = Direct(channels, ["ops"], folder, SYSTEM)
        self.path = FastPath(
            incidents,
            Courier(self.transaction, channels, SYSTEM, holder="test"),
            self.transaction,
            self.direct,
            SYSTEM,
            failsafe=Failsafe(strict=True),
        )

    def transaction(self) -> AbstractContextManager[Database]:
        return self._lanes[self.is_away].transaction()

    def deliver(self, *records: Record) -> float:
        began = time.monotonic()
        assert self.path.deliver(Batch(head=HEAD, records=records)) == Delivered()
        return time.monotonic() - began

    def tend_until(self, condition: Callable[[], object]) -> None:
        until = time.monotonic() + 15
        while not condition():
            assert time.monotonic() < until, "in vain"
            self.path.tend()
            SYSTEM.sleep(0.02)

    def close(self) -> None:
        self.ops.accept()
        self.path.close()
        for lane in self._lanes:
            lane.close()


@pytest.fixture
def ops() -> Iterator[slack.Slack]:
    found = slack.start()
    yield found
    found.stop()


@pytest.fixture
def scene(dsn: str, ops: slack.Slack, tmp_path: Path) -> Iterator[Scene]:
    made = Scene(dsn, ops, tmp_path)
    yield made
    made.close()


def error(kind: int = 0, **fields: object) -> ErrorRecord:
    values: dict[str, object] = {
        "id": uuid7(SYSTEM.now_ms()),
        "seq": 1,
        "error_type": "OperationalError",
        "message": "gone",
        "context": "database",
        "severity": "critical",
        "fingerprint": f"{kind:016x}",
        "title": f"OperationalError: gone {kind}",
        "parts": (),
        "metadata": {"place": {"code.file.path": "shop/orders.py", "code.line.number": 88}},
    }
    return ErrorRecord(**(values | fields))  # type: ignore[arg-type]


def repeat(kind: int, n: int) -> Repeat:
    return Repeat(
        id=uuid7(SYSTEM.now_ms()),
        seq=2,
        n=n,
        error_type="OperationalError",
        message="gone",
        context="database",
        severity="critical",
        fingerprint=f"{kind:016x}",
        title=f"OperationalError: gone {kind}",
        parts=(),
    )


def test_a_critical_error_is_on_slack_at_once(scene: Scene, query: Query) -> None:
    took_s = scene.deliver(error(), error(severity="high", kind=1))

    (message,) = scene.ops.messages
    assert message.text == "[FIRING critical] critical_error shop/prod: OperationalError: gone 0"
    assert "`OperationalError` shop/orders.py:88" in message.shown
    assert took_s < 2
    (row,) = query("SELECT * FROM otel_guard.incidents")
    assert (row["dedup_key"], row["state"], row["release"]) == (
        "critical_error:prod:shop:0000000000000000",
        "firing",
        "a1b2c3d",
    )
    assert row["labels"] == {"fingerprint": "0" * 16, "error_type": "OperationalError"}
    assert row["first_delivered_at"] is not None
    assert query("SELECT state FROM otel_guard.alert_outbox") == [{"state": "sent"}]


def test_a_payment_failure_from_high_up_alerts_too(scene: Scene, query: Query) -> None:
    scene.deliver(error(severity="high", context="payment"))

    assert len(scene.ops.messages) == 1
    assert query("SELECT context FROM otel_guard.incidents") == [{"context": "payment"}]


def test_an_amendment_that_makes_a_record_critical_alerts_once(scene: Scene, query: Query) -> None:
    amendment = Amendment(
        id=uuid7(SYSTEM.now_ms()),
        fingerprint="e" * 16,
        title="ValueError: no price",
        of_context="api",
        of_severity="medium",
        severity="critical",
    )

    scene.deliver(amendment)
    scene.deliver(amendment)

    assert [message.text for message in scene.ops.messages] == [
        "[FIRING critical] critical_error shop/prod: ValueError: no price"
    ]
    assert query("SELECT occurrences FROM otel_guard.incidents") == [{"occurrences": 1}]


def test_a_storm_of_three_kinds_is_three_incidents_with_exact_counts(scene: Scene, query: Query) -> None:
    records: list[Record] = [error(n % 3) for n in range(1000)]
    records += [repeat(n % 3, 300) for n in range(30)]

    for start in range(0, len(records), 500):
        scene.deliver(*records[start : start + 500])

    rows = query("SELECT dedup_key, occurrences FROM otel_guard.incidents ORDER BY dedup_key")
    assert [row["occurrences"] for row in rows] == [3334, 3333, 3333]
    assert 3 <= len(scene.ops.messages) <= 6


def test_a_hanging_slack_holds_the_journal_up_for_seconds_only(
    scene: Scene, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast_path, "WAIT_S", 0.5)
    scene.ops.hang()

    assert scene.deliver(error()) < 2
    assert scene.deliver(error(1)) < 2
    assert query("SELECT count(*) AS n FROM otel_guard.alert_outbox WHERE state <> 'sent'") == [{"n": 1}]

    scene.ops.accept()  # the hanging request gets its 503: the row is the monitor's
    scene.tend_until(lambda: scene.ops.messages)
    assert [message.text[-1] for message in scene.ops.messages] == ["1"]
    assert query("SELECT count(*) AS n FROM otel_guard.incidents") == [{"n": 2}]


def test_without_postgres_slack_is_told_directly_and_the_incident_follows(scene: Scene, query: Query) -> None:
    first = error()
    scene.is_away = True

    scene.deliver(first)
    scene.deliver(error())

    (message,) = scene.ops.messages
    assert "Postgres does not answer" in message.shown
    assert scene.direct.waiting == 1

    scene.is_away = False
    scene.tend_until(lambda: scene.direct.waiting == 0)

    (row,) = query("SELECT *, extract(epoch FROM impact_started_at) * 1000 AS ms FROM otel_guard.incidents")
    assert (row["occurrences"], row["state"]) == (2, "firing")
    assert int(row["ms"]) == int(first.id.replace("-", "")[:12], 16)
    assert abs(row["first_delivered_at"].timestamp() * 1000 - message.at_ms) < 2000
    scene.deliver(error())
    assert len(scene.ops.messages) == 1
    assert query("SELECT occurrences FROM otel_guard.incidents") == [{"occurrences": 3}]


def test_an_old_record_is_counted_and_not_alerted(scene: Scene, query: Query) -> None:
    scene.deliver(error(id=uuid7(SYSTEM.now_ms() - 3_700_000)))

    assert (scene.path.late, scene.ops.messages) == (1, [])
    assert query("SELECT 1 FROM otel_guard.incidents") == []


def test_a_batch_without_a_critical_error_touches_nothing(scene: Scene) -> None:
    scene.is_away = True

    assert scene.deliver(error(severity="low")) < 1
    assert (scene.direct.waiting, scene.ops.messages) == (0, [])
