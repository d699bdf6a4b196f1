from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from otel_guard.monitor.lease import NAME, Lease
from otel_guard.runtime.clock import SYSTEM
from otel_guard.store import leases
from otel_guard.store.lane import Lane

NOW = datetime(2026, 11, 23, 21, 30, tzinfo=UTC)


@pytest.fixture
def lane(dsn: str) -> Iterator[Lane]:
    lane = Lane(dsn, SYSTEM)
    yield lane
    lane.close()


def test_one_of_two_leads_until_it_gives_the_lease_back(lane: Lane) -> None:
    one, other = Lease(lane.transaction, "web1:1"), Lease(lane.transaction, "web2:2")

    assert (one.take(), other.take(), one.take()) == (True, False, True)
    assert other.leader() == "web1:1"
    other.give_back()  # what is not its own stays
    assert other.take() is False
    one.give_back()
    assert (other.take(), one.take()) == (True, False)


def test_who_does_not_renew_is_followed_after_the_leases_time(lane: Lane) -> None:
    with lane.transaction() as database:
        assert leases.take(database, NAME, "dead:1", 30.0, NOW)
        assert not leases.take(database, NAME, "next:2", 30.0, NOW + timedelta(seconds=29))
        assert leases.take(database, NAME, "next:2", 30.0, NOW + timedelta(seconds=30))
        assert not leases.take(database, NAME, "dead:1", 30.0, NOW + timedelta(seconds=31))
