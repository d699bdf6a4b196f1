"""A health, its clock, its calls and its threads, stepped by hand."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from otel_guard.core.classify import Call
from otel_guard.core.record import Context
from otel_guard.health.health import Health
from otel_guard.journal.stats import JournalStats
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.settings import load
from otel_guard.settings.identity import Identity

NOON_MS = 1_700_000_000_000
LIMIT_S = 10.0
STATS = JournalStats(
    bytes=0, limit_bytes=1000, oldest_s=0.0, memory_mode=False, memory_why=None, durable=True, dropped={},
    write_errors={}, quarantined=0, corrupt_bytes=0, adopted=0, sinks={},
)  # fmt: skip


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now_ms(self) -> int:
        return NOON_MS + int(self.seconds * 1000)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class World:
    """One process's health."""

    def __init__(
        self,
        *,
        tables: Mapping[str, object] | None = None,
        environ: Mapping[str, str] | None = None,
        facts: Mapping[str, Callable[[], object]] | None = None,
        strict: bool = True,
        host: str = "web-1",
        **settings: Any,
    ) -> None:
        self.clock = Clock()
        self.stats = STATS
        self.is_broken = False  # a fault of ours
        self.woken = 0
        self.hung = threading.Event()
        loaded = load(settings, {}).settings
        self.health = Health(
            msgspec.structs.replace(loaded, tables=tables or {}),
            Identity(service="shop", environment="test", release="1.4.2", host=host),
            environ=environ or {},
            clock=self.clock,
            failsafe=Failsafe(strict=strict),
            journal_stats=self._stats,
            wake=self._wake,
            facts=facts if facts is not None else {},
        )

    def call(self, context: Context = "database", letters: str = ".", **given: Any) -> None:
        """Calls that end now: `.` good, `x` failed."""
        for letter in letters:
            usual: dict[str, Any] = {
                "kind": "CLIENT",
                "context": context,
                "system": "openai" if context == "ai" else context,
                "operation": "x",
                "outcome": "ok" if letter == "." else "failed",
                "error_class": None if letter == "." else "server",
                "duration_ms": 10.0,
                "ended_ms": self.clock.now_ms(),
                "route": None,
                "name": "n",
            }
            self.health.observe(Call(**(usual | given)))

    def look(self, after_s: float = 5.0) -> dict[str, Any]:
        """Let time pass, look, and return the services."""
        self.clock.seconds += after_s
        self.health.tick()
        return self.services()

    def services(self, **asked: Any) -> dict[str, Any]:
        """The services as they are known now."""
        services = self.health.body(**asked)["services"]
        assert isinstance(services, dict)
        return services

    def settle(self, name: str) -> None:
        """Wait until no thread of the check *name* runs, then take its answer."""
        until(lambda: f"otel-guard-probe-{name}" not in threads())
        self.health.tick()

    def hang(self) -> None:
        """A check that does not return before the test ends."""
        self.hung.wait(LIMIT_S)

    def release(self) -> None:
        """Let hung checks go."""
        self.hung.set()

    def _stats(self) -> JournalStats:
        if self.is_broken:
            raise RuntimeError("no stats")
        return self.stats

    def _wake(self) -> None:
        self.woken += 1


def threads() -> list[str]:
    """The names of the probes' threads."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("otel-guard-probe")]


def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition."""
    limit = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < limit, "it did not come to that"
        threading.Event().wait(0.005)
