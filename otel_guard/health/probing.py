"""Runs the active checks: one call of each at a time, a thread each, four at most."""

import threading
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from otel_guard.core.passive import Probe
from otel_guard.health.checks._base import Check, Found
from otel_guard.runtime.clock import Clock
from otel_guard.runtime.suppression import sending

THREADS: Final = 4
JITTER: Final = 0.2
STALE: Final = 3.0  # periods


class _Flight:
    """One call that is under way."""

    def __init__(self, began_s: float) -> None:
        self.began_s = began_s
        self.ended_s: float | None = None
        self.found: Found | None = None
        self.is_late = False


class Answered(Struct, frozen=True):
    """The last answer of a check."""

    probe: Probe
    depth: int | None = None


class Probes:
    """Stepped by one thread; `add` from any."""

    def __init__(self, clock: Clock, jitter: Callable[[], float]) -> None:
        """*jitter* gives numbers from 0 to 1."""
        self._clock = clock
        self._jitter = jitter
        self._checks: dict[str, Check] = {}
        self._flights: dict[str, _Flight] = {}
        self._due: dict[str, float] = {}
        self._answered: dict[str, Answered] = {}

    @property
    def checks(self) -> Mapping[str, Check]:
        """By their names."""
        return self._checks

    def add(self, check: Check) -> None:
        """Add *check*, or replace the one of its name."""
        self._checks = {**self._checks, check.name: check}
        self._due.pop(check.name, None)

    def answered(self, name: str) -> Answered | None:
        """The last answer of a check, None if it is too old."""
        found, check = self._answered.get(name), self._checks.get(name)
        if found is None or check is None or self._clock.now_ms() - found.probe.at_ms > STALE * check.every_s * 1000:
            return None
        return found

    def has_said(self, name: str) -> bool:
        """Whether the check answered, or ran out of time, since the start."""
        return name in self._answered

    def step(self, wanted: Callable[[Check], bool]) -> bool:
        """Take answers, start what is due and *wanted*; whether an answer came."""
        now = self._clock.monotonic()
        has_news = [self._take(name, flight, now) for name, flight in list(self._flights.items())]
        free = THREADS - sum(not flight.is_late for flight in self._flights.values())
        for check in sorted(self._checks.values(), key=lambda each: not each.is_critical):
            if free > 0 and check.name not in self._flights and now >= self._due.get(check.name, now) and wanted(check):
                free -= self._start(check, now)
        return any(has_news)

    def forget(self) -> None:
        """In a forked child: the calls under way are the parent's."""
        self._flights, self._due, self._answered = {}, {}, {}

    def _take(self, name: str, flight: _Flight, now: float) -> bool:
        check = self._checks.get(name)
        if flight.ended_s is not None:
            del self._flights[name]
        if check is None:
            return False
        took_s = (flight.ended_s or now) - flight.began_s
        if took_s > check.timeout_s or (flight.ended_s is not None and flight.found is None):
            was_late, flight.is_late = flight.is_late, True
            message = "timed out" if took_s > check.timeout_s else "ended without an answer"
            self._keep(check, Found("unhealthy", message), None)
            return not was_late
        if flight.found is None:
            return False
        self._keep(check, flight.found, took_s * 1000)
        return True

    def _keep(self, check: Check, found: Found, latency_ms: float | None) -> None:
        probe = Probe(
            status=found.status,
            at_ms=self._clock.now_ms(),
            message=found.message,
            latency_ms=latency_ms,
            is_deciding=check.is_deciding or found.status != "healthy",
        )
        self._answered[check.name] = Answered(probe, found.depth)

    def _start(self, check: Check, now: float) -> bool:
        flight = _Flight(now)
        self._due[check.name] = now + check.every_s * (1 + JITTER * (2 * self._jitter() - 1))
        thread = threading.Thread(
            target=self._fly, args=(check, flight), daemon=True, name=f"otel-guard-probe-{check.name}"
        )
        try:
            thread.start()
        except RuntimeError:
            return False  # no thread to be had: the next period may have one
        self._flights[check.name] = flight
        return True

    def _fly(self, check: Check, flight: _Flight) -> None:
        try:
            with sending():
                flight.found = check.run()
        except Exception as error:
            flight.found = Found("unhealthy", type(error).__name__)
        finally:
            flight.ended_s = self._clock.monotonic()
