from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_guard.core.quantile import points, quantile, weighted
from otel_guard.core.rollup import BOUNDS

SECONDS = st.lists(st.floats(min_value=0.0001, max_value=500), min_size=1, max_size=60)
Q = st.floats(min_value=0.01, max_value=1)


def buckets(values: list[float]) -> list[int]:
    counted = [0] * (len(BOUNDS) + 1)
    for value in values:
        counted[bisect_left(BOUNDS, value)] += 1
    return counted


def nearest(values: list[float], q: float) -> float:
    """The smallest value that at least a share *q* of all does not exceed."""
    ranked = sorted(values)
    return next(value for number, value in enumerate(ranked, 1) if number >= q * len(ranked))


def test_nothing_has_no_quantile() -> None:
    assert quantile([], 0.95) is None
    assert quantile([0] * 14, 0.95, 0.0) is None
    assert weighted([], 0.95) is None
    assert weighted([(3.0, 0)], 0.95) is None


@pytest.mark.parametrize(
    ("counts", "q", "highest", "value"),
    [
        ({3: 10}, 0.5, None, 0.0375),  # in the middle of 0.025 to 0.05
        ({3: 10}, 1.0, 0.03, 0.03),
        ({9: 99, 10: 1}, 0.95, 8.0, 2.5 + 2.5 * 95 / 99),
        ({9: 19, 10: 1}, 0.95, 8.0, 5.0),
        ({9: 4, 10: 1}, 0.95, 8.0, 8.0),
        ({13: 2}, 0.5, 600.0, 330.0),  # the last bucket ends at the largest
    ],
)
def test_a_quantile_is_linear_within_its_bucket(
    counts: dict[int, int], q: float, highest: float | None, value: float
) -> None:
    given_buckets = [counts.get(number, 0) for number in range(len(BOUNDS) + 1)]

    assert quantile(given_buckets, q, highest) == pytest.approx(value)


@given(SECONDS, Q)
def test_a_quantile_lies_in_the_bucket_of_the_true_one(values: list[float], q: float) -> None:
    found = quantile(buckets(values), q, max(values))
    true = bisect_left(BOUNDS, nearest(values, q))

    assert found is not None
    assert (0.0, *BOUNDS)[true] <= found <= max(values)
    assert found <= (*BOUNDS, max(values))[true] or true == len(BOUNDS)


@given(SECONDS, Q, Q)
def test_a_higher_quantile_is_no_smaller(values: list[float], one: float, other: float) -> None:
    low, high = (quantile(buckets(values), q, max(values)) or 0.0 for q in sorted((one, other)))

    assert low <= high


@given(SECONDS, st.sampled_from(BOUNDS))
def test_over_a_bound_is_decided_exactly(values: list[float], bound: float) -> None:
    found = quantile(buckets(values), 0.95, max(values))

    assert found is not None
    assert (found > bound) == (nearest(values, 0.95) > bound)


@given(SECONDS, Q)
def test_a_weighted_quantile_is_the_nearest_rank(values: list[float], q: float) -> None:
    assert weighted([(value, 1) for value in values], q) == nearest(values, q)


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 9)), min_size=1), Q)
def test_weights_are_repetitions(given_points: list[tuple[float, int]], q: float) -> None:
    repeated = [(value, 1) for value, n in given_points for _ in range(n)]

    assert weighted(given_points, q) == weighted(repeated, q)


@given(SECONDS)
def test_points_keep_number_sum_and_largest(values: list[float]) -> None:
    found = points(len(values), sum(values), max(values))

    assert sum(n for _, n in found) == len(values)
    assert sum(value * n for value, n in found) == pytest.approx(sum(values))
    assert found[0][0] == max(values)
