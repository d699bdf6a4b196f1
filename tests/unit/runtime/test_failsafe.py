import logging
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from otel_guard.runtime.failsafe import Failsafe


class TimeLimit(Exception):
    """What an application's signal handler raises."""


@pytest.fixture
def alarm() -> Iterator[Callable[[Any], None]]:
    """Install a handler of SIGUSR1."""
    before = signal.getsignal(signal.SIGUSR1)

    def install(handler: Any) -> None:
        signal.signal(signal.SIGUSR1, handler)

    yield install
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("kind", [ValueError, MemoryError, RecursionError, OSError])
def test_what_is_ours_is_swallowed_counted_and_said_once(
    kind: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    failsafe = Failsafe()
    for _ in range(3):
        with failsafe("on_end"):
            raise kind("secret")

    assert failsafe.caught == {("on_end", kind.__name__): 3}
    (line,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "on_end" in line
    assert "secret" not in line


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_the_application_passes(kind: type[BaseException]) -> None:
    failsafe = Failsafe()

    with pytest.raises(kind), failsafe("on_end"):
        raise kind
    assert failsafe.caught == {}


def test_what_a_signal_handler_raises_passes(alarm: Callable[[Any], None]) -> None:
    def handler(*_: object) -> None:
        raise TimeLimit

    alarm(handler)
    failsafe = Failsafe()

    with pytest.raises(TimeLimit), failsafe("on_end"):
        signal.raise_signal(signal.SIGUSR1)


def test_what_a_method_as_signal_handler_raises_passes(alarm: Callable[[Any], None]) -> None:
    class Worker:
        def abort(self, *_: object) -> None:
            self.fail()

        def fail(self) -> None:
            raise TimeLimit

    alarm(Worker().abort)

    with pytest.raises(TimeLimit), Failsafe()("on_end"):
        signal.raise_signal(signal.SIGUSR1)


def test_an_installed_handler_that_did_not_run_changes_nothing(alarm: Callable[[Any], None]) -> None:
    alarm(lambda *_: None)
    failsafe = Failsafe()

    with failsafe("on_end"):
        raise TimeLimit
    assert failsafe.caught == {("on_end", "TimeLimit"): 1}


def test_strict_raises() -> None:
    with pytest.raises(ValueError, match="x"), Failsafe(strict=True)("on_end"):
        raise ValueError("x")


def test_a_broken_logging_is_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(logging.getLogger("otel_guard"), "warning", broken)
    with Failsafe()("on_end"):
        raise ValueError
