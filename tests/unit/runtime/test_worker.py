import queue
import threading

import pytest

from otel_guard.runtime.failsafe import Failsafe
from otel_guard.runtime.suppression import is_sending
from otel_guard.runtime.worker import Worker


class Steps:
    """A step that reports, and raises where it is told to."""

    def __init__(self, wait_s: float, *, raises: bool = False) -> None:
        self.done: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self.wait_s = wait_s
        self.raises = raises

    def __call__(self) -> float:
        self.done.put(is_sending())
        if self.raises:
            raise ValueError
        return self.wait_s


def test_a_wake_runs_the_step_at_once_under_suppression() -> None:
    steps = Steps(60.0)
    worker = Worker("test", steps, failsafe=Failsafe(strict=True))
    worker.start()

    assert steps.done.get(timeout=5)
    worker.wake()
    assert steps.done.get(timeout=5)
    assert worker.is_alive
    assert worker.stop(5.0)
    assert not worker.is_alive


def test_the_thread_is_a_daemon_and_named() -> None:
    worker = Worker("test", Steps(60.0), failsafe=Failsafe())
    worker.start()

    (thread,) = [thread for thread in threading.enumerate() if thread.name == "otel-guard-test"]
    assert thread.daemon
    worker.stop(5.0)


def test_a_step_that_raises_runs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otel_guard.runtime.worker.AFTER_FAULT_S", 0.01)
    failsafe, steps = Failsafe(), Steps(0.0, raises=True)
    worker = Worker("test", steps, failsafe=failsafe)
    worker.start()

    for _ in range(3):
        steps.done.get(timeout=5)
    worker.stop(5.0)
    assert failsafe.caught[("thread test", "ValueError")] >= 3


def test_a_step_that_hangs_ends_no_exit() -> None:
    release, begun = threading.Event(), threading.Event()

    def hangs() -> float:
        begun.set()
        release.wait(10)
        return 1.0

    worker = Worker("test", hangs, failsafe=Failsafe())
    worker.start()
    begun.wait(5)

    assert not worker.stop(0.05)
    release.set()
    assert worker.stop(5.0)
