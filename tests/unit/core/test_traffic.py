import pytest

from otel_guard.core.traffic import Counters, Traffic, metrics

NOON_MS = 1_700_000_000_000


def served(n: int, *, ms: float = 100.0, failed: int = 0, at_ms: int = NOON_MS) -> Traffic:
    traffic = Traffic()
    for number in range(n):
        traffic.observe(ms, at_ms, is_failed=number < failed)
    return traffic


def test_nothing_known_has_all_keys() -> None:
    assert metrics([]) == {
        "response_time_ms": None,
        "response_time_p95_ms": None,
        "active_users": None,
        "queue_depth": None,
        "queues": {},
        "error_rate": None,
        "window_s": 300,
    }


def test_times_and_rate_are_those_of_the_window() -> None:
    traffic = served(100, failed=3)
    for _ in range(6):
        traffic.observe(2000.0, NOON_MS + 5000, is_failed=False)
    shown = metrics([traffic.counters(NOON_MS + 10_000, {"default": 4, "mail": None})])

    assert shown["response_time_ms"] == pytest.approx(207.5, abs=0.1)
    assert shown["response_time_p95_ms"] == pytest.approx(2000, rel=0.1)
    assert shown["error_rate"] == 0.0283
    assert (shown["queue_depth"], shown["queues"]) == (4, {"default": 4})


@pytest.mark.parametrize(("n", "rate"), [(19, None), (20, 0.5)])
def test_a_rate_needs_twenty_requests(n: int, rate: float | None) -> None:
    assert metrics([served(n, failed=10).counters(NOON_MS, {})])["error_rate"] == rate


@pytest.mark.parametrize(("later_s", "n"), [(0, 5), (289, 5), (301, 0), (-600, 0)])
def test_what_is_older_than_five_minutes_is_forgotten(later_s: int, n: int) -> None:
    traffic = served(5)
    traffic.user("ana", NOON_MS)
    counters = traffic.counters(NOON_MS + later_s * 1000, {})

    assert counters.n == n
    assert metrics([counters])["active_users"] == (1 if n else 0)


def test_a_place_is_used_again_after_a_round() -> None:
    traffic = served(5)
    traffic.observe(50.0, NOON_MS + 300_000, is_failed=True)

    counters = traffic.counters(NOON_MS + 300_000, {})
    assert (counters.n, counters.errors, counters.sum_ms, sum(counters.buckets)) == (1, 1, 50.0, 1)


def test_processes_are_summed_and_a_user_of_both_counts_once() -> None:
    one, other = served(20, ms=100, failed=2), served(20, ms=300)
    for user in ("ana", "ben"):
        one.user(user, NOON_MS)
    other.user("ana", NOON_MS)
    shown = metrics([one.counters(NOON_MS, {"jobs": 9}), other.counters(NOON_MS, {"jobs": 7}), Counters()])

    assert shown["response_time_ms"] == 200.0
    assert shown["error_rate"] == 0.05
    assert shown["active_users"] == 2
    assert shown["queue_depth"] == 7  # a queue is one, however many look at it
