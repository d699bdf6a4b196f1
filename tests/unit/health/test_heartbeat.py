import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from otel_guard.core.exceptions import StoreUnavailableError
from otel_guard.health import heartbeat
from otel_guard.health.heartbeat import HOLD_S, Heartbeats, period_s
from otel_guard.runtime.failsafe import Failsafe


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now_ms(self) -> int:
        return int(self.seconds * 1000)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Database:
    """Takes what `jobs_beats.write` runs, unless it is away."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.is_away = False

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        if self.is_away:
            raise StoreUnavailableError
        yield self

    def execute(self, _: object, values: dict[str, Any]) -> "Database":
        self.rows.append(values)
        return self

    rowcount = 1


class Scene:
    def __init__(self) -> None:
        self.clock = Clock()
        self.database = Database()
        self.failed: list[tuple[BaseException, str]] = []
        self.heartbeats = Heartbeats(
            lambda exc, name: self.failed.append((exc, name)),
            self.clock,
            Failsafe(strict=True),
            service="shop",
            environment="test",
        )

    def written(self, after_s: float = HOLD_S) -> list[str]:
        self.clock.sleep(after_s)
        self.database.rows.clear()
        self.heartbeats.tend(self.database.transaction)
        return [row["name"] for row in self.database.rows]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_call_is_a_beat(scene: Scene) -> None:
    scene.heartbeats("invoices", every="24h")

    assert scene.written() == ["invoices"]
    (row,) = scene.database.rows
    assert (row["instance"], row["period_s"], row["age_s"], row["detail"]) == ("shop:test", 86400, HOLD_S, "{}")
    assert scene.written() == []


def test_a_decorated_function_beats_after_it_returned_and_not_before(scene: Scene) -> None:
    @scene.heartbeats("invoices", every=60)
    def invoices(count: int) -> int:
        """Send them."""
        scene.clock.sleep(2.5)
        return count

    assert scene.written() == []
    assert (invoices(3), invoices.__name__, invoices.__doc__) == (3, "invoices", "Send them.")
    assert scene.written() == ["invoices"]
    assert scene.database.rows[0]["detail"] == '{"duration_s":2.5}'
    assert scene.written() == []


def test_an_async_function_beats_after_it_returned(scene: Scene) -> None:
    @scene.heartbeats("invoices", every=60)
    async def invoices() -> str:
        await asyncio.sleep(0)
        scene.clock.sleep(1.5)
        return "done"

    assert asyncio.run(invoices()) == "done"
    assert scene.written() == ["invoices"]
    assert scene.database.rows[0]["detail"] == '{"duration_s":1.5}'


def test_a_block_beats_at_its_end_and_may_be_nested(scene: Scene) -> None:
    watched = scene.heartbeats("outer", every=60)
    with watched:
        scene.clock.sleep(1)
        with watched, scene.heartbeats("inner", every=60):
            assert scene.written() == []
        assert sorted(scene.written()) == ["inner", "outer"]
        scene.clock.sleep(5)

    assert scene.written() == ["outer"]
    assert scene.database.rows[0]["detail"] == '{"duration_s":8.0}'


def fail() -> None:
    raise ValueError("no printer")


async def fail_later() -> None:
    raise ValueError("no printer")


def in_block(scene: Scene) -> None:
    with scene.heartbeats("invoices", every=60):
        fail()


WAYS: dict[str, Callable[[Scene], object]] = {
    "def": lambda scene: scene.heartbeats("invoices", every=60)(fail)(),
    "async def": lambda scene: asyncio.run(scene.heartbeats("invoices", every=60)(fail_later)()),
    "with": in_block,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_a_failure_is_a_record_and_no_beat_and_goes_on(scene: Scene, way: Callable[[Scene], object]) -> None:
    with pytest.raises(ValueError, match="no printer") as caught:
        way(scene)

    assert scene.failed == [(caught.value, "invoices")]
    assert scene.written() == []


@pytest.mark.parametrize(
    ("code", "is_beat", "is_record"), [(None, True, False), (0, True, False), (3, False, True), ("away", False, True)]
)
def test_the_exit_of_a_script_counts_by_its_code(scene: Scene, code: Any, *, is_beat: bool, is_record: bool) -> None:
    with pytest.raises(SystemExit):
        scene.heartbeats("invoices", every=60)(lambda: sys.exit(code))()

    assert (scene.written() == ["invoices"], bool(scene.failed)) == (is_beat, is_record)


@pytest.mark.parametrize("ended_by", [KeyboardInterrupt(), asyncio.CancelledError(), GeneratorExit()])
def test_what_is_broken_off_is_neither(scene: Scene, ended_by: BaseException) -> None:
    def job() -> None:
        raise ended_by

    with pytest.raises(type(ended_by)):
        scene.heartbeats("invoices", every=60)(job)()
    assert (scene.written(), scene.failed) == ([], [])


def test_while_postgres_is_away_the_newest_of_each_name_waits(scene: Scene) -> None:
    scene.database.is_away = True
    for _ in range(3):
        scene.heartbeats("invoices", every="1h")
        scene.heartbeats("stock", every="1h")
        assert scene.written(after_s=100) == []
    scene.database.is_away = False

    assert scene.written(after_s=5) == ["invoices", "stock"]
    assert [row["age_s"] for row in scene.database.rows] == [105, 105]


def test_a_job_that_beats_all_the_time_is_written_all_the_time(scene: Scene) -> None:
    found = 0
    for _ in range(100):
        for _ in range(10):
            scene.heartbeats("consumer", every="1m")
            scene.clock.sleep(0.05)
        found += len(scene.written(after_s=0))

    assert found > 40


def test_at_the_end_also_the_last_second_is_written(scene: Scene) -> None:
    scene.heartbeats("invoices", every="1h")

    assert scene.written(after_s=0) == []
    assert scene.heartbeats.tend(scene.database.transaction, is_last=True)
    assert [row["name"] for row in scene.database.rows] == ["invoices"]


def test_closing_writes_and_does_not_hang(scene: Scene) -> None:
    scene.heartbeats("invoices", every="1h")
    scene.heartbeats.close(scene.database.transaction, 5)
    assert [row["name"] for row in scene.database.rows] == ["invoices"]

    frozen = threading.Event()

    @contextmanager
    def transaction() -> Iterator[Any]:
        frozen.wait()
        yield scene.database

    scene.heartbeats("invoices", every="1h")
    scene.heartbeats.close(transaction, 0.01)
    frozen.set()


def test_beats_of_many_threads_are_kept(scene: Scene) -> None:
    def work(number: int) -> None:
        with scene.heartbeats(f"job-{number}", every=60):
            pass

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(scene.written()) == sorted(f"job-{number}" for number in range(20))


def test_a_child_leaves_its_parents_beats_to_it(scene: Scene) -> None:
    scene.heartbeats("invoices", every=60)
    scene.heartbeats.after_fork()

    assert scene.written() == []


def test_names_are_bounded_and_nothing_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "MOST", 3)
    scene, failsafe = Scene(), Failsafe()
    scene.heartbeats = Heartbeats(lambda *_: None, scene.clock, failsafe, service="s", environment="e")
    for number in range(10):
        scene.heartbeats(f"job-{number}", every=60)
        scene.heartbeats(f"run-{number}", every=60)(lambda: None)()

    assert scene.written() == ["run-0", "job-0", "job-1"]
    assert list(failsafe.caught) == [("a heartbeat beyond 3 names", "OtelGuardError")]


def test_a_record_that_cannot_be_made_does_not_hide_the_failure(scene: Scene) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("ours")

    scene.heartbeats = Heartbeats(broken, scene.clock, Failsafe(), service="s", environment="e")

    with pytest.raises(ValueError, match="no printer"):
        in_block(scene)


@pytest.mark.parametrize(("every", "seconds"), [("24h", 86400), ("90s", 90), (" 7D ", 604800), (600, 600), (0.5, 0.5)])
def test_a_period_is_text_or_seconds(every: object, seconds: float) -> None:
    assert period_s(every) == seconds


@pytest.mark.parametrize("every", ["", "daily", "24 hours", "0s", 0, -1, float("nan"), float("inf")])
def test_a_period_that_cannot_be_read_is_said_at_once(scene: Scene, every: Any) -> None:
    with pytest.raises(ValueError, match='write "24h"'):
        scene.heartbeats("invoices", every=every)


@pytest.mark.parametrize(("name", "every"), [("x", None), ("x", True), ("x", [1]), (7, "24h"), (None, "24h")])
def test_a_wrong_type_is_a_type_error(scene: Scene, name: Any, every: Any) -> None:
    with pytest.raises(TypeError, match="heartbeat"):
        scene.heartbeats(name, every=every)


def test_a_name_is_needed(scene: Scene) -> None:
    with pytest.raises(ValueError, match="it is empty"):
        scene.heartbeats(" ", every=60)
