import pytest

from otel_guard.core import bitmap


def of(users: range) -> int:
    bits = 0
    for user in users:
        bits |= bitmap.bit_of(f"user-{user}")
    return bits


@pytest.mark.parametrize(("users", "within"), [(0, 0), (1, 0), (10, 1), (100, 6), (1000, 60), (5000, 300)])
def test_it_counts_distinct_users_within_a_few_percent(users: int, within: int) -> None:
    assert abs(bitmap.estimate(of(range(users))) - users) <= within


def test_bitmaps_of_two_processes_are_joined_by_or() -> None:
    joined = of(range(300)) | of(range(200, 500))

    assert joined == of(range(500))


def test_a_full_one_says_a_number_too() -> None:
    assert bitmap.estimate((1 << bitmap.BITS) - 1) == 34_070


def test_text_keeps_it() -> None:
    bits = of(range(77))

    assert bitmap.decode(bitmap.encode(bits)) == bits
    assert len(bitmap.encode(bits)) == 684


@pytest.mark.parametrize("text", ["", "no base 64!", "ÿ"])
def test_what_is_no_bitmap_is_empty(text: str) -> None:
    assert bitmap.decode(text) == 0


def test_a_surrogate_in_an_id_is_counted() -> None:
    assert bitmap.bit_of("\udce9").bit_count() == 1
