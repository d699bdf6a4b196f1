"""What is told while Postgres is away, and what Postgres knows of it later."""

import fcntl
import stat
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from otel_guard.alerts.channels._base import Channel
from otel_guard.alerts.channels.making import channel
from otel_guard.alerts.direct import NOTE, Direct
from otel_guard.alerts.incidents import Incidents, Policy
from otel_guard.core.incident import Opening
from otel_guard.demo.standins import make, slack
from otel_guard.runtime.clock import SYSTEM
from otel_guard.settings.alerting import ChannelConfig, Escalation
from otel_guard.store.lane import Lane

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY = "critical_error:prod:shop:ffff"
Query = Callable[..., list[dict[str, object]]]


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.s = NOON.timestamp()

    def now_ms(self) -> int:
        return round(self.s * 1000)

    def monotonic(self) -> float:
        return self.s

    def sleep(self, seconds: float) -> None:
        self.s += seconds


def opening(**fields: object) -> Opening:
    values: dict[str, object] = {
        "type": "critical_error",
        "rule": "critical_error",
        "dedup_key": KEY,
        "severity": "critical",
        "message": "OperationalError: gone",
        "service": "shop",
        "environment": "prod",
        "labels": {"fingerprint": "ffff"},
        "top": ("`OperationalError` shop/orders.py:88",),
        "impact_started_at": NOON.replace(minute=1),
    }
    return Opening(**(values | fields))  # type: ignore[arg-type]


@pytest.fixture
def ops() -> Iterator[slack.Slack]:
    found = slack.start()
    yield found
    found.stop()


@pytest.fixture
def scenario() -> Iterator[make.Make]:
    found = make.start()
    yield found
    found.stop()


@pytest.fixture
def configs(ops: slack.Slack, scenario: make.Make) -> tuple[ChannelConfig, ...]:
    return (
        ChannelConfig(name="ops", type="slack", url=ops.url),
        ChannelConfig(name="make", type="webhook", url=scenario.url),
    )


@pytest.fixture
def channels(configs: tuple[ChannelConfig, ...]) -> Mapping[str, Channel]:
    return {config.name: channel(config) for config in configs}


@pytest.fixture
def clock() -> Hands:
    made = Hands()
    made.s += 90
    return made


def test_the_first_step_is_told_once_in_30_min(
    ops: slack.Slack, scenario: make.Make, channels: Mapping[str, Channel], clock: Hands, tmp_path: Path
) -> None:
    direct = Direct(channels, ["ops"], tmp_path / "shop-0", clock)

    assert direct.send(opening())
    clock.sleep(1799)
    assert not direct.send(opening())
    clock.sleep(1)
    assert direct.send(opening())
    assert [message.text for message in ops.messages] == [
        "[FIRING critical] critical_error shop/prod: OperationalError: gone"
    ] * 2
    assert NOTE in ops.messages[0].shown
    assert scenario.deliveries == []


def test_all_processes_share_what_was_told(
    ops: slack.Slack, channels: Mapping[str, Channel], clock: Hands, tmp_path: Path
) -> None:
    sent = [Direct(channels, ["ops", "make"], tmp_path, clock).send(opening()) for _ in range(3)]

    (file,) = tmp_path.glob("*.sent")
    assert (sent, len(ops.messages)) == ([True, False, False], 1)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "shop" not in file.name
    assert (file.read_text(), file.stat().st_mtime) == ("ops\nmake", clock.s)


def test_another_process_that_is_telling_it_right_now_is_not_joined(
    ops: slack.Slack, channels: Mapping[str, Channel], clock: Hands, tmp_path: Path
) -> None:
    direct = Direct(channels, ["ops"], tmp_path, clock)
    direct.send(opening())
    clock.sleep(2000)
    (file,) = tmp_path.glob("*.sent")

    with file.open() as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        assert not direct.send(opening())
    assert direct.send(opening())
    assert len(ops.messages) == 2


def test_without_a_folder_this_process_remembers(
    ops: slack.Slack, channels: Mapping[str, Channel], clock: Hands
) -> None:
    direct = Direct(channels, ["ops"], None, clock)

    assert [direct.send(opening()), direct.send(opening()), direct.send(opening(dedup_key="other"))] == [
        True,
        False,
        True,
    ]
    assert len(ops.messages) == 2


def test_a_folder_that_cannot_be_used_is_done_without(
    ops: slack.Slack, channels: Mapping[str, Channel], clock: Hands, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    direct = Direct(channels, ["ops"], tmp_path / "file", clock)

    assert [direct.send(opening()), direct.send(opening())] == [True, False]
    assert len(ops.messages) == 1


def test_what_no_channel_took_is_tried_again_after_a_while(
    ops: slack.Slack, channels: Mapping[str, Channel], clock: Hands, tmp_path: Path
) -> None:
    direct = Direct(channels, ["ops"], tmp_path, clock)
    ops.refuse(503)

    assert not direct.send(opening())
    ops.accept()
    assert not direct.send(opening())
    clock.sleep(30)
    assert direct.send(opening())
    assert len(ops.messages) == 1


def test_one_channel_is_enough(
    ops: slack.Slack, scenario: make.Make, channels: Mapping[str, Channel], clock: Hands
) -> None:
    ops.refuse(500)

    assert Direct(channels, ["ops", "make"], None, clock).send(opening())
    assert [delivery.body["event"] for delivery in scenario.deliveries] == ["fired"]


def test_files_of_yesterday_are_swept(channels: Mapping[str, Channel], clock: Hands, tmp_path: Path) -> None:
    direct = Direct(channels, ["ops"], tmp_path, clock)
    direct.send(opening())
    clock.sleep(90_000)
    direct.send(opening(dedup_key="other"))

    assert len(list(tmp_path.glob("*.sent"))) == 1


@pytest.fixture
def incidents(configs: tuple[ChannelConfig, ...]) -> Incidents:
    steps = (Escalation(0.0, ("ops", "make")), Escalation(600.0, ("ops",)))
    policy = Policy(
        channels=configs, escalation={"critical": steps}, url=None, secret_key=None, runbooks=lambda _rule: (None, ())
    )
    return Incidents(policy, SYSTEM)


def test_the_incident_is_written_down_later_with_its_true_times(
    channels: Mapping[str, Channel], clock: Hands, incidents: Incidents, dsn: str, query: Query
) -> None:
    direct = Direct(channels, ["ops"], None, clock)
    direct.send(opening(occurrences=3))
    clock.sleep(60)
    direct.send(opening(occurrences=4))
    clock.sleep(600)
    lane = Lane(dsn, SYSTEM)

    with lane.transaction() as database:
        assert direct.back_fill(incidents, database) == ()
    direct.forget()

    lane.close()
    assert direct.waiting == 0
    (row,) = query("SELECT * FROM otel_guard.incidents")
    assert (row["state"], row["occurrences"], row["message"]) == ("firing", 7, "OperationalError: gone")
    assert row["impact_started_at"] == NOON.replace(minute=1)
    assert row["fired_at"] == row["first_delivered_at"] == NOON.replace(minute=1, second=30)
    outbox = query("SELECT channel, state, sent_at FROM otel_guard.alert_outbox WHERE kind = 'fired' ORDER BY channel")
    assert [(each["channel"], each["state"]) for each in outbox] == [("make", "pending"), ("ops", "sent")]
    assert "told_directly" in {each["kind"] for each in query("SELECT kind FROM otel_guard.incident_events")}


def test_what_nobody_was_told_of_is_still_to_be_delivered(
    ops: slack.Slack, channels: Mapping[str, Channel], clock: Hands, incidents: Incidents, dsn: str, query: Query
) -> None:
    ops.refuse(500)
    direct = Direct(channels, ["ops"], None, clock)
    direct.send(opening())
    lane = Lane(dsn, SYSTEM)

    with lane.transaction() as database:
        untold = direct.back_fill(incidents, database)

    lane.close()
    (row,) = query("SELECT id, first_delivered_at FROM otel_guard.incidents")
    assert ([str(each) for each in untold], row["first_delivered_at"]) == ([str(row["id"])], None)
    assert query("SELECT 1 FROM otel_guard.alert_outbox WHERE state <> 'pending'") == []


def test_a_process_that_was_not_the_one_to_tell_writes_it_down_as_told(
    channels: Mapping[str, Channel], clock: Hands, incidents: Incidents, dsn: str, query: Query, tmp_path: Path
) -> None:
    one, other = (Direct(channels, ["ops", "make"], tmp_path, clock) for _ in range(2))
    one.send(opening())
    clock.sleep(5)
    other.send(opening(occurrences=2))
    lane = Lane(dsn, SYSTEM)

    for direct in (other, one):
        with lane.transaction() as database:
            assert direct.back_fill(incidents, database) == ()

    lane.close()
    assert query("SELECT occurrences, first_delivered_at FROM otel_guard.incidents") == [
        {"occurrences": 3, "first_delivered_at": NOON.replace(minute=1, second=30)}
    ]
    assert query("SELECT state FROM otel_guard.alert_outbox WHERE kind = 'fired' AND state <> 'sent'") == []
