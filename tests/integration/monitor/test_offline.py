from collections.abc import Callable, Iterator
from typing import Any

import pytest

from otel_guard.monitor.offline import Offline
from otel_guard.runtime.clock import SYSTEM
from otel_guard.store.lane import Lane

Query = Callable[..., list[dict[str, Any]]]
CHANNEL = (
    "INSERT INTO otel_guard.channel_state (channel, failures, last_ok_at, last_error_at) "
    "VALUES (%s, %s, now() - interval '1 hour', now() - %s::interval)"
)
PROBE = (
    "INSERT INTO otel_guard.dependency_status (name, instance, status, source, checked_at) "
    "VALUES (%s, 'i', %s, %s, now() - %s::interval)"
)


@pytest.fixture
def lane(dsn: str) -> Iterator[Lane]:
    lane = Lane(dsn, SYSTEM)
    yield lane
    lane.close()


def offline(lane: Lane, said: list[str], channels: tuple[str, ...] = ("slack",), pinged: bool | None = None) -> bool:
    with lane.transaction() as database:
        return Offline(lambda: channels, lambda: pinged, said.append)(database)


@pytest.mark.parametrize(
    ("channel", "probes", "pinged", "expected"),
    [
        pytest.param((3, "5 s"), [("ai.openai", "unhealthy", "active", "9 s")], None, True, id="all fail"),
        pytest.param((3, "5 s"), [], False, True, id="the dead-man ping is a probe too"),
        pytest.param((3, "5 s"), [], None, False, id="no probe, no verdict"),
        pytest.param((3, "5 s"), [], True, False, id="the ping arrived"),
        pytest.param((0, "5 s"), [], False, False, id="the channel works"),
        pytest.param((3, "1 day"), [], False, False, id="it failed long ago"),
        pytest.param((3, "5 s"), [("payment", "healthy", "active", "9 s")], False, False, id="a probe reaches"),
        pytest.param((3, "5 s"), [("payment", "unhealthy", "active", "9 min")], None, False, id="nobody probes now"),
        pytest.param((3, "5 s"), [("payment", "unhealthy", "passive", "9 s")], None, False, id="calls are no probe"),
        pytest.param((3, "5 s"), [("database", "unhealthy", "active", "9 s")], None, False, id="a way inside"),
    ],
)
def test_it_takes_every_channel_and_every_probe(
    lane: Lane,
    query: Query,
    channel: tuple[int, str],
    probes: list[tuple[str, ...]],
    pinged: bool | None,
    expected: bool,
) -> None:
    query(CHANNEL, "slack", *channel)
    for probe in probes:
        query(PROBE, *probe)
    said: list[str] = []

    assert offline(lane, said, pinged=pinged) is expected
    assert [line.startswith("I am offline") for line in said] == [True] * expected


def test_one_channel_that_has_not_failed_is_enough(lane: Lane, query: Query) -> None:
    query(CHANNEL, "slack", 3, "5 s")

    assert offline(lane, [], ("slack", "make"), pinged=False) is False


def test_without_channels_it_is_never_offline(lane: Lane) -> None:
    assert offline(lane, [], (), pinged=False) is False


def test_it_is_said_once_when_it_begins_and_once_when_it_ends(lane: Lane, query: Query) -> None:
    query(CHANNEL, "slack", 3, "5 s")
    pings, said = [False, False, True, True], list[str]()
    found = Offline(lambda: ("slack",), lambda: pings[0], said.append)
    while pings:
        with lane.transaction() as database:
            found(database)
        pings.pop(0)

    assert said == [
        "I am offline: all channels and all probes fail; no rule is judged until one answers",
        "I am online again",
    ]
