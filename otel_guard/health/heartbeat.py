"""`guard.heartbeat`: a job says that it ran; the monitor finds the one that did not."""

import math
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from otel_guard.core.duration import seconds
from otel_guard.core.exceptions import OtelGuardError, SchemaError, StoreUnavailableError
from otel_guard.health.beating import Heartbeat
from otel_guard.runtime.clock import Clock
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.runtime.suppression import sending
from otel_guard.store import jobs_beats
from otel_guard.store.ask import Database
from otel_guard.store.jobs_beats import JobBeat

Transaction = Callable[[], AbstractContextManager[Database]]
HOLD_S: Final = 1.0  # a call that becomes a decorator or a `with` does so at once, and was no beat then
MOST: Final = 1000  # names


class _Waiting(Struct, frozen=True):
    beat: JobBeat
    at: float  # monotonic


class Heartbeats:
    """Keeps the newest beat of each name until it is written; takes no lock and does no I/O in the caller."""

    def __init__(
        self,
        record: Callable[[BaseException, str], object],
        clock: Clock,
        failsafe: Failsafe,
        *,
        service: str,
        environment: str,
    ) -> None:
        """*record* takes the exception of a failed run and the job's name."""
        self._record = record
        self._clock = clock
        self._failsafe = failsafe
        self._service = service
        self._environment = environment
        self._said: dict[str, Heartbeat] = {}  # calls that may still become a decorator or a `with`
        self._newest: dict[str, _Waiting] = {}
        self._written: dict[str, _Waiting] = {}

    def __call__(self, name: str, *, every: float | str) -> Heartbeat:
        """Beat now; as a decorator (`def`, `async def`) or in a `with`: after each run that did not raise.

        *every*: how long until the next beat at most, `24h` or seconds.

        Raises:
            TypeError, ValueError: *name* or *every* cannot be read; nothing else.
        """
        said = Heartbeat(self, _name(name), period_s(every), self._clock.monotonic())
        with self._failsafe("heartbeat"):
            self._say(said)
        return said

    def beat(self, name: str, period_s: float, duration_s: float | None = None, at: float | None = None) -> None:
        """Keep a beat, in place of an older one of the same name."""
        at, before = self._clock.monotonic() if at is None else at, self._newest.get(name)
        if not self._fits(name) or (before is not None and before.at > at):
            return
        beat = JobBeat(
            name=name,
            service=self._service,
            environment=self._environment,
            period_s=period_s,
            duration_s=duration_s,
        )
        self._newest[name] = _Waiting(beat, at)

    def tend(self, transaction: Transaction, *, is_last: bool = False) -> bool:
        """In the thread of Postgres, every few seconds, and once at the end: write what waits; True: nothing does."""
        with self._failsafe("heartbeat: write"):
            now = self._clock.monotonic()
            for said in list(self._said.values()):
                if is_last or now - said.at >= HOLD_S:
                    self._confirm(said)
            return all(self._wrote(transaction, *each) for each in list(self._newest.items()))  # away: not one by one
        return False

    def close(self, transaction: Transaction, limit_s: float) -> None:
        """At the end of the process: write what waits, for up to *limit_s*."""
        if not self._newest and not self._said:
            return
        last = threading.Thread(target=self._last, args=(transaction,), daemon=True, name="otel-guard-heartbeats")
        with self._failsafe("heartbeat: close"):
            try:
                last.start()
            except RuntimeError:  # some Pythons allow no thread at exit
                self._last(transaction)
            else:
                last.join(limit_s)

    def began(self) -> float:
        """The moment a run begins."""
        return self._clock.monotonic()

    def ended(self, said: Heartbeat, began: float, exc: BaseException | None) -> None:
        """A run is over: well, or with *exc*; never raises."""
        with self._failsafe("heartbeat"):
            if exc is None or (isinstance(exc, SystemExit) and not exc.code):
                self.beat(said.name, said.period_s, self._clock.monotonic() - began)
            elif isinstance(exc, Exception | SystemExit):
                self._record(exc, said.name)

    def after_fork(self) -> None:
        """In the child: what the parent has not written yet is the parent's."""
        self._said, self._newest, self._written = {}, {}, {}

    def _last(self, transaction: Transaction) -> None:
        with sending():
            self.tend(transaction, is_last=True)

    def _say(self, said: Heartbeat) -> None:
        """Of many calls in a second the first speaks for all."""
        if not self._fits(said.name):
            return
        before = self._said.get(said.name)
        if before is not None and before.is_call:
            if said.at - before.at < HOLD_S:
                return
            self._confirm(before)
        self._said[said.name] = said

    def _confirm(self, said: Heartbeat) -> None:
        if said.is_call:
            said.is_call = False
            self.beat(said.name, said.period_s, at=said.at)

    def _fits(self, name: str) -> bool:
        """A name is that of a job, not of a run: beyond 1000 new ones are not watched."""
        if name in self._said or name in self._newest or max(len(self._said), len(self._newest)) < MOST:
            return True
        return not self._failsafe.swallow(f"a heartbeat beyond {MOST} names", OtelGuardError())

    def _wrote(self, transaction: Transaction, name: str, waiting: _Waiting) -> bool:
        if self._written.get(name) is waiting:
            return True
        try:
            with transaction() as database:
                jobs_beats.write(database, replace(waiting.beat, age_s=self._clock.monotonic() - waiting.at))
        except (StoreUnavailableError, SchemaError):
            return False
        except OtelGuardError as error:  # refused for good: it must not hold up the others
            self._failsafe.swallow("heartbeat: write", error)
        self._written[name] = waiting
        return True


def period_s(every: object) -> float:
    """Seconds of *every*: `24h`, or a number of seconds.

    Raises:
        TypeError: neither text nor a number.
        ValueError: it cannot be read, or is not above 0.
    """
    if isinstance(every, bool) or not isinstance(every, str | int | float):
        raise TypeError(f'heartbeat(every=…) takes "24h" or seconds, not {type(every).__name__}')
    found = seconds(every) if isinstance(every, str) else float(every)
    if found is None or not 0 < found < math.inf:
        raise ValueError(f'heartbeat(every={every!r}): write "24h", "10m", "90s", or seconds above 0')
    return found


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"heartbeat() takes the name of the job, not {type(name).__name__}")
    if not name.strip():
        raise ValueError("heartbeat() takes the name of the job: it is empty")
    return name.strip()
