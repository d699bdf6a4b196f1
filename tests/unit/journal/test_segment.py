import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_guard.core import codec
from otel_guard.core.record import Amendment, CallStats, Drops, ErrorRecord, Record, Repeat, SlowCall, StatRow
from otel_guard.journal.segment import (
    HEADER_BYTES,
    PAYLOAD_LIMIT,
    encode_frame,
    own_name,
    parse_own_name,
    parse_segment_name,
    scan,
    segment_name,
)

WRITER = "018bcfe5-6800-7000-8000-0000000000aa"
PAYLOADS = [f"payload {number} ".encode() * (1 + number % 5) for number in range(20)]
FRAMES = [encode_frame(2, number, payload) for number, payload in enumerate(PAYLOADS)]
FILE = b"".join(FRAMES)

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
counts = st.integers(0, 2**63 - 1)
finite = st.floats(allow_nan=False)
rows = st.builds(
    StatRow,
    minute=counts,
    n=counts,
    errors=counts,
    sum=finite,
    max=finite,
    buckets=st.lists(counts, max_size=5).map(tuple),
)
records = st.one_of(
    st.builds(
        ErrorRecord, id=text, seq=counts, message=text, title=text, metadata=st.dictionaries(text, json, max_size=3)
    ),
    st.builds(Amendment, id=text, user_id=text, metadata=st.none() | st.dictionaries(text, json, max_size=3)),
    st.builds(
        SlowCall,
        id=text,
        value=finite,
        duration_ms=finite,
        query_text=text,
        metadata=st.dictionaries(text, json, max_size=3),
    ),
    st.builds(CallStats, id=text, rows=st.lists(rows, max_size=2).map(tuple)),
    st.builds(Repeat, id=text, seq=counts, n=counts),
    st.builds(Drops, n=counts, seqs=st.none() | st.tuples(counts, counts), first_at_ms=counts, last_at_ms=counts),
)


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 2**64 - 1), st.binary(max_size=300)), max_size=8))
def test_frames_come_back_as_they_were(given_frames: list[tuple[int, int, bytes]]) -> None:
    data = b"".join(encode_frame(*frame) for frame in given_frames)

    found = scan(data, is_left=True, is_end=True)

    assert [(frame.kind, frame.number, frame.payload) for frame in found.frames] == given_frames
    assert (found.damage, found.used) == ([], len(data))


@given(records)
def test_records_come_back_as_they_were(record: Record) -> None:
    (frame,) = scan(encode_frame(codec.KINDS[type(record)], 1, codec.encode(record)), is_left=True, is_end=True).frames

    assert codec.decode(frame.kind, frame.payload) == record


@pytest.mark.parametrize("bit", [1, 128])
def test_any_byte_flipped_loses_one_frame(bit: int) -> None:
    for at in range(len(FILE)):
        data = FILE[:at] + bytes([FILE[at] ^ bit]) + FILE[at + 1 :]

        found = scan(data, is_left=True, is_end=True)

        assert len(found.frames) == len(FRAMES) - 1, at
        assert all(frame.payload == PAYLOADS[frame.number] for frame in found.frames)
        ((start, end),) = found.damage
        assert start <= at < end
        assert end - start == len(data) - sum(len(FRAMES[frame.number]) for frame in found.frames)


def test_a_file_cut_anywhere_keeps_what_is_whole() -> None:
    ends = [sum(map(len, FRAMES[:count])) for count in range(len(FRAMES) + 1)]
    for length in range(len(FILE)):
        found = scan(FILE[:length], is_left=True, is_end=True)

        whole = sum(end <= length for end in ends) - 1
        assert len(found.frames) == whole
        assert found.used == length
        assert len(found.damage) == (length not in ends)


@pytest.mark.parametrize("length", range(len(FRAMES[0]) + 1))
def test_a_live_file_waits_for_the_rest_of_a_frame(length: int) -> None:
    found = scan(FRAMES[0] + FRAMES[1][:length], is_left=False, is_end=True)

    assert (len(found.frames), found.used, found.damage) == (1, len(FRAMES[0]), [])


def test_zeros_are_the_end() -> None:
    found = scan(FRAMES[0] + bytes(5000), is_left=True, is_end=True)

    assert (len(found.frames), found.damage, found.used) == (1, [], len(FRAMES[0]) + 5000)


@pytest.mark.parametrize("seed", range(5))
def test_garbage_between_frames_is_skipped(seed: int) -> None:
    noise = random.Random(seed).randbytes(3000).replace(b"G", b"GO")

    found = scan(FRAMES[0] + noise + FRAMES[1] + noise, is_left=True, is_end=True)

    assert [frame.payload for frame in found.frames] == PAYLOADS[:2]
    assert sum(end - start for start, end in found.damage) == 2 * len(noise)


def test_a_window_that_ends_amid_a_frame_is_read_on_from_there() -> None:
    middle = sum(map(len, FRAMES[:7])) + 10

    first = scan(FILE[:middle], is_left=True, is_end=False)
    second = scan(FILE[first.used :], is_left=True, is_end=True)

    assert [frame.payload for frame in (*first.frames, *second.frames)] == PAYLOADS
    assert (first.damage, second.damage) == ([], [])


def test_a_length_past_the_limit_is_damage_at_once() -> None:
    data = encode_frame(2, 1, b"x" * (PAYLOAD_LIMIT + 1))

    found = scan(data + FRAMES[0], is_left=False, is_end=True)

    assert [frame.payload for frame in found.frames] == PAYLOADS[:1]
    assert found.damage == [(0, len(data))]


def test_a_header_has_twenty_bytes() -> None:
    assert len(encode_frame(2, 1, b"")) == HEADER_BYTES == 20
    assert encode_frame(2, 1, b"")[:2] == (0x4F47).to_bytes(2, "little")


@pytest.mark.parametrize("number", [1, 999_999, 1_000_000])
def test_names_are_read_back(number: int) -> None:
    assert parse_segment_name(segment_name(WRITER, number)) == (WRITER, number)
    assert parse_own_name(own_name(WRITER)) == WRITER


@pytest.mark.parametrize("name", ["", "notes.txt", "x-1.seg", f"{WRITER}.seg", f"{WRITER}-000001.seg.bak"])
def test_foreign_files_are_left_alone(name: str) -> None:
    assert parse_segment_name(name) is None
    assert parse_own_name(name) is None
