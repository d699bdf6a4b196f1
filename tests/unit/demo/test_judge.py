"""The verdict of the demo, on literals."""

import msgspec
import pytest

from otel_guard.demo.faults import Call, Fault
from otel_guard.demo.judge import Found, Row, Sent, Summary, judged
from otel_guard.demo.watching import Watched

CALL = Call("/pay")
FAULT = Fault(name="bug", calls=(CALL,))
SLOW = Fault(name="slow", calls=(CALL,), errors=0, slow=1, sentry=0)
KILLED = Fault(name="killed", calls=(CALL,), is_traced=False)
GOOD = Found(rows={"t": (1, 0)}, sentry={"t": {"e"}}, traces={"t"})
NOTHING = Found(rows={}, sentry={}, traces=set())


def sent(fault: Fault, status: int = 500) -> Sent:
    return Sent(fault=fault.name, call=CALL, trace_id="t", status=status)


@pytest.mark.parametrize(
    ("fault", "status", "found", "lost", "doubled"),
    [
        pytest.param(FAULT, 500, GOOD, 0, 0, id="one row, one event, a trace"),
        pytest.param(FAULT, 500, NOTHING, 3, 0, id="all three are missing"),
        pytest.param(
            FAULT, 500, Found(rows={"t": (3, 0)}, sentry={"t": {"e"}}, traces={"t"}), 0, 2, id="two rows too many"
        ),
        pytest.param(
            FAULT, 500, Found(rows={"t": (1, 0)}, sentry={"t": {"e", "f"}}, traces={"t"}), 0, 1, id="two events"
        ),
        pytest.param(FAULT, 500, Found(rows={"t": (1, 1)}, sentry={"t": {"e"}}, traces={"t"}), 0, 1, id="slow as well"),
        pytest.param(SLOW, 500, Found(rows={"t": (0, 1)}, sentry={}, traces={"t"}), 0, 0, id="a slow call is no error"),
        pytest.param(SLOW, 500, GOOD, 1, 2, id="an error instead of a slow call"),
        pytest.param(
            KILLED, 500, Found(rows={"t": (1, 0)}, sentry={"t": {"e"}}, traces=set()), 0, 0, id="spans may die"
        ),
        pytest.param(FAULT, 0, NOTHING, 0, 0, id="a cut request owes nothing"),
        pytest.param(FAULT, 0, GOOD, 0, 0, id="a cut request may have left a row"),
        pytest.param(FAULT, 0, Found(rows={"t": (2, 0)}, sentry={}, traces=set()), 0, 1, id="but not two"),
    ],
)
def test_what_is_missing_is_lost_and_what_is_too_many_doubled(
    fault: Fault, status: int, found: Found, lost: int, doubled: int
) -> None:
    (row,) = judged([fault], [sent(fault, status)], found)

    assert (row.lost, row.doubled) == (lost, doubled)
    assert bool(row.problems) == bool(lost or doubled)


def test_a_fault_that_did_not_fire_is_told() -> None:
    (row,) = judged([FAULT], [sent(FAULT, 200)], GOOD)

    assert row.misfired == 1
    assert row.problems == ("t: /pay answered 200",)


def test_a_fault_that_nobody_set_off_is_no_success() -> None:
    assert judged([FAULT], [], NOTHING)[0].misfired == 1


def test_a_row_counts_what_was_found() -> None:
    assert judged([FAULT], [sent(FAULT)], GOOD) == (
        Row(
            fault="bug",
            injected=1,
            cut=0,
            rows=1,
            traces=1,
            sentry_events=1,
            lost=0,
            doubled=0,
            misfired=0,
            is_traced=True,
            problems=(),
        ),
    )


HEARD = Watched(health={}, incidents=(), messages=3, refused=0, at_once_s=(0.2,), silence="stocktake: no beat for 89 s")


@pytest.mark.parametrize(
    ("field", "is_good"),
    [("lost", False), ("doubled", False), ("misfired", False), ("left_in_journal", False), ("", True)],
)
def test_a_run_is_good_when_nothing_is_wrong(field: str, is_good: bool) -> None:
    values: dict[str, int | None] = {"injected": 5, "lost": 0, "doubled": 0, "misfired": 0, "left_in_journal": 0}
    values.update({field: 1} if field else {"left_in_journal": None})

    summary = Summary(faults=(), traces_from="Collector", seconds=1.0, watched=HEARD, **values)  # type: ignore[arg-type]

    assert summary.is_good == is_good


@pytest.mark.parametrize(
    "changed",
    [{"messages": 0}, {"refused": 1}, {"at_once_s": ()}, {"silence": None}],
    ids=lambda changed: next(iter(changed)),
)
def test_a_run_is_not_good_when_nobody_heard(changed: dict[str, object]) -> None:
    assert HEARD.is_good
    assert not msgspec.structs.replace(HEARD, **changed).is_good
