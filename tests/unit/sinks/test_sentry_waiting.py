from typing import Any

from otel_guard.core.record import Amendment, ErrorRecord
from otel_guard.sinks.sentry_waiting import MAX_ASIDE, MAX_CHANGES, MAX_SETTLED, MAX_TOLD, Waiting

NOON_MS = 1_767_268_800_000


class Noon:
    """A clock that stands at noon."""

    def now_ms(self) -> int:
        return NOON_MS

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


def name(number: int) -> str:
    return f"{NOON_MS:012x}"[:8] + "-" + f"{NOON_MS:012x}"[8:] + f"-7000-8000-{number:012x}"


def failure(number: int, **fields: Any) -> ErrorRecord:
    return ErrorRecord(
        id=name(number),
        seq=number,
        error_type="E",
        message="m",
        context="other",
        severity="medium",
        fingerprint="f" * 16,
        title="E: m",
        parts=("E",),
        metadata={},
        **fields,
    )


def change(number: int, **fields: Any) -> Amendment:
    return Amendment(
        id=name(number), fingerprint="f" * 16, title="t", of_context="other", of_severity="medium", **fields
    )


def test_what_is_remembered_is_bounded() -> None:
    waiting = Waiting(lambda _trace_id: True, Noon())
    for number in range(MAX_TOLD + 500):
        waiting.tell(change(number, route="/"))
        waiting.learn([change(number, route=str(step)) for step in range(3)])
    for number in range(MAX_CHANGES * 2):
        waiting.learn([change(-1 & 0xFFFF, route=str(number))])
    for number in range(MAX_SETTLED + MAX_TOLD):
        waiting.settle(failure(number), is_aside=True)

    assert len(waiting._changes) <= MAX_TOLD
    assert max(map(len, waiting._changes.values()), default=0) <= MAX_CHANGES
    assert len(waiting._settled) == MAX_SETTLED
    assert len(waiting._aside) == MAX_ASIDE
    assert waiting._first_seen == {}


def test_a_settled_record_learns_nothing_more() -> None:
    waiting = Waiting(lambda _trace_id: True, Noon())
    waiting.settle(failure(1))

    assert waiting.learn([change(1, reportable=True)]) == []
    assert waiting._changes == {}


def test_a_record_set_aside_comes_back_once() -> None:
    waiting = Waiting(lambda _trace_id: True, Noon())
    waiting.settle(failure(1, reportable=False), is_aside=True)

    (record,) = waiting.learn([change(1, reportable=True)])
    waiting.settle(record)

    assert record.reportable
    assert waiting.learn([change(1, reportable=True)]) == []
