"""The traps of capture, each as a real process on a real Postgres."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Play = Callable[..., list[dict[str, Any]]]


def test_an_exception_whose_text_raises_is_a_row_all_the_same(play: Play) -> None:
    (row,) = play("""
class Bad(Exception):
    def __str__(self):
        raise RuntimeError("no text")
    __repr__ = __str__
try:
    with otel_guard.watch("x", context="payment"):
        raise Bad
except Bad:
    otel_guard.capture_error(severity="low")
""")
    assert (row["error_type"], row["severity"]) == ("__main__.Bad", "low")


def test_an_exception_without_text_is_a_row_with_an_empty_message(play: Play) -> None:
    (row,) = play("""
try:
    with otel_guard.watch("x"):
        raise ValueError
except ValueError:
    pass
""")
    assert (row["error_type"], row["message"], row["handled"]) == ("ValueError", "", False)


def test_a_stale_exception_is_not_taken_for_the_failure_of_a_later_span(play: Play) -> None:
    (row,) = play("""
try:
    int("x")
except ValueError:
    with trace.get_tracer("shop").start_as_current_span("call", kind=trace.SpanKind.CLIENT) as span:
        span.set_status(trace.StatusCode.ERROR, "refused")
""")
    assert row["error_type"] != "ValueError"
    assert (row["message"], row["stack_trace"]) == ("refused", None)


def test_a_frozen_exception_in_two_spans_is_one_row(play: Play) -> None:
    (row,) = play("""
class Frozen(Exception):
    def __setattr__(self, name, value):
        raise AttributeError(name)
try:
    with otel_guard.watch("outer"):
        try:
            with otel_guard.watch("inner"):
                raise Frozen(7)
        except Frozen as error:
            otel_guard.capture_error(error, metadata={"seen": "twice"})
except Frozen:
    pass
""")
    assert row["metadata"]["seen"] == "twice"


def test_an_unsampled_trace_keeps_its_error_with_the_trace_id(play: Play) -> None:
    (row,) = play(
        """
try:
    with otel_guard.watch("x"):
        1 / 0
except ZeroDivisionError:
    pass
""",
        OTEL_TRACES_SAMPLER="always_off",
    )
    assert row["trace_id"] is not None


def test_a_switched_off_sdk_still_makes_the_row_without_a_trace(play: Play) -> None:
    (row,) = play(
        """
try:
    with otel_guard.watch("charge", context="payment"):
        1 / 0
except ZeroDivisionError:
    pass
""",
        OTEL_SDK_DISABLED="true",
    )
    assert (row["context"], row["trace_id"]) == ("payment", None)


def test_what_is_ignored_below_makes_no_row_above(play: Play, tmp_path: Path) -> None:
    (tmp_path / "otel_guard.toml").write_text('[[classify]]\nexception = "LookupError"\nseverity = "ignore"\n')
    rows = play("""
try:
    with otel_guard.watch("outer"), otel_guard.watch("inner"):
        {}["x"]
except KeyError:
    assert otel_guard.capture_error() is None
""")
    assert rows == []


def test_a_storm_is_counted_to_the_last(play: Play) -> None:
    rows = play("""
for number in range(500):
    try:
        raise ValueError(number)
    except ValueError:
        otel_guard.capture_error()
""")
    assert sum(row["repeat_count"] for row in rows) == 500
    assert 100 <= len(rows) <= 110


def test_a_threads_next_request_does_not_inherit_the_user(play: Play) -> None:
    rows = play("""
def request(user_id):
    try:
        with trace.get_tracer("shop").start_as_current_span("GET /", kind=trace.SpanKind.SERVER):
            if user_id:
                otel_guard.user(user_id)
            raise ValueError(user_id)
    except ValueError:
        pass
request("u-1")
request(None)
""")
    assert [row["user_id"] for row in rows] == ["u-1", None]


def test_an_exception_that_comes_back_from_a_pool_of_processes_is_one_row(
    play: Play,
) -> None:
    (row,) = play("""
import concurrent.futures, multiprocessing
def fail():
    try:
        with otel_guard.watch("inner", context="storage"):
            raise ValueError("in the child")
    finally:
        otel_guard.flush()  # a pool's process ends without exit functions
if __name__ == "__main__":
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
        try:
            pool.submit(fail).result()
        except ValueError:
            otel_guard.capture_error(metadata={"seen": "by the parent"})
""")
    assert (row["context"], row["metadata"]["seen"]) == ("storage", "by the parent")
