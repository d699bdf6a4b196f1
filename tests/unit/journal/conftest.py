"""Records by number, sinks that follow a script, a clock that is moved by hand, journals of a temporary folder."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_guard.core.delivery import Batch, Delivered, Outcome
from otel_guard.core.record import ErrorRecord, Head
from otel_guard.journal.journal import Journal
from otel_guard.journal.pump import SinkSpec
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.runtime.ids import uuid7


class MovedClock:
    """Stands still until it is moved; sleeping moves it."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now_ms(self) -> int:
        return SYSTEM.now_ms() + int((self.seconds - 1000.0) * 1000)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Scripted:
    """Answers with *answers*, then takes all; an answer may be an exception."""

    def __init__(self, *answers: Outcome | Exception) -> None:
        self.answers = list(answers)
        self.batches: list[Batch] = []

    def deliver(self, batch: Batch) -> Outcome:
        self.batches.append(batch)
        answer = self.answers.pop(0) if self.answers else Delivered()
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def seqs(self) -> list[int]:
        """The numbers of all records that came, in order."""
        return [record.seq for batch in self.batches for record in batch.records if isinstance(record, ErrorRecord)]


def make_error(seq: int, size: int = 20) -> ErrorRecord:
    return ErrorRecord(
        id=uuid7(SYSTEM.now_ms()),
        seq=seq,
        error_type="ValueError",
        message="m" * size,
        context="api",
        severity="high",
        fingerprint="f1",
        title="ValueError",
        parts=("f1",),
        metadata={"number": seq},
    )


@pytest.fixture
def error() -> Callable[..., ErrorRecord]:
    return make_error


@pytest.fixture
def head() -> Head:
    return Head(
        version=1,
        writer_id=uuid7(SYSTEM.now_ms()),
        number=1,
        service="shop",
        environment="test",
        release=None,
        host="web",
    )


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def scripted() -> type[Scripted]:
    return Scripted


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "shop-0badcafe"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def make(folder: Path, said: list[str]) -> Iterator[Callable[..., Journal]]:
    """Make journals of one folder, all closed at the end."""
    made: list[Journal] = []

    def new(place: Any = folder, *, limit_bytes: int = 1 << 28, **sinks: Any) -> Journal:
        specs = {name: sink if isinstance(sink, SinkSpec) else SinkSpec(sink, True) for name, sink in sinks.items()}
        journal = Journal(
            place,
            service="shop",
            environment="test",
            release="r1",
            host="web",
            sinks=specs,
            limit_bytes=limit_bytes,
            clock=SYSTEM,
            failsafe=Failsafe(strict=True),
            warn=said.append,
        )
        made.append(journal)
        return journal

    yield new
    for journal in made:
        journal.close(0.0)


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], bool]:
    """Wait up to 10 s for a condition."""

    def wait(condition: Callable[[], bool]) -> bool:
        for _ in itertools.repeat(None, 1000):
            if condition():
                return True
            SYSTEM.sleep(0.01)
        return False

    return wait
