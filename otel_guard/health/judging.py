"""One verdict a dependency, from calls, probes, breakers and switches; remembers what it said last."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct

from otel_guard.core.dependency import (
    CACHE,
    CRITICAL,
    DATABASE,
    EMAIL,
    PAYMENT,
    PROVIDERS,
    STORAGE,
    Status,
    provider_row,
    words_of,
)
from otel_guard.core.passive import LEAST, SHORT, Verdict, judge
from otel_guard.health.checks._base import Check
from otel_guard.health.listening import Listening
from otel_guard.health.probing import Probes
from otel_guard.runtime.clock import Clock

PLAIN: Final = (DATABASE, STORAGE, PAYMENT, EMAIL, CACHE)
MOST_CHANGES: Final = 100
_SILENT: Final = frozenset({None, "not_configured"})
_GOOD: Final = frozenset({"healthy", "unknown", "not_configured", "disabled"})


class Change(Struct, frozen=True, kw_only=True):
    """A row of `dependency_changes`."""

    name: str
    status: Status
    previous: Status | None
    at_ms: int


class Judging:
    """Used by one thread."""

    def __init__(self, listening: Listening, probes: Probes, clock: Clock) -> None:
        self.changes: list[Change] = []
        self.changed_at_ms: dict[str, int] = {}
        self._listening = listening
        self._probes = probes
        self._clock = clock
        self._was: dict[str, Status] = {}

    def wants(self, check: Check) -> bool:
        """Whether *check* is worth a call: thin traffic, an outage that may be over, or nobody else tells."""
        ring = self._listening.rings.get(check.name)
        if ring is None or self._was.get(check.name) != "healthy":
            return True
        return ring.window(self._clock.now_ms(), SHORT).samples < LEAST

    def verdicts(self, circuits: Mapping[str, str], switches: Mapping[str, bool]) -> dict[str, Verdict]:
        """Judge all: the plain ones, the AI providers, the application's own."""
        now_ms = self._clock.now_ms()
        known = [*PLAIN, *map(provider_row, PROVIDERS), *self._listening.rings, *self._own()]
        found = {name: self._judged(name, now_ms, circuits, switches) for name in dict.fromkeys(known)}
        for name, verdict in found.items():
            self._note(name, verdict.status, now_ms)
        return found

    def is_critical(self, name: str) -> bool:
        """Whether the service is down without it."""
        check = self._probes.checks.get(name)
        return name in CRITICAL or (check is not None and check.is_critical)

    def depths(self) -> dict[str, int | None]:
        """Depth by queue, None: not known."""
        queues = [check.name for check in self._probes.checks.values() if check.kind == "queue"]
        answers = {name: self._probes.answered(name) for name in queues}
        return {name.partition(":")[2]: answer.depth if answer else None for name, answer in answers.items()}

    def take_changes(self) -> list[Change]:
        """What changed since the last call."""
        taken, self.changes = self.changes, []
        return taken

    def forget(self) -> None:
        """In a forked child: what was said is the parent's."""
        self._was, self.changed_at_ms, self.changes = {}, {}, []

    def _own(self) -> list[str]:
        return [check.name for check in self._probes.checks.values() if check.kind != "queue"]

    def _judged(self, name: str, now_ms: int, circuits: Mapping[str, str], switches: Mapping[str, bool]) -> Verdict:
        if not switches.get(name, True):
            return Verdict(status="disabled")
        ring, answered = self._listening.rings.get(name), self._probes.answered(name)
        verdict = judge(
            ring,
            now_ms,
            was=self._was.get(name),
            circuit=circuits.get(name),
            probe=answered.probe if answered is not None else None,
        )
        if verdict.status == "not_configured" and name in self._probes.checks:
            return Verdict(status="unknown")
        if (
            verdict.message is None
            or verdict.source != "passive"
            or ring is None
            or not verdict.message.endswith("failed")
        ):
            return verdict
        return msgspec.structs.replace(verdict, message=f"{verdict.message}: {words_of(ring.last_class, name)}")

    def _note(self, name: str, status: Status, now_ms: int) -> None:
        previous = self._was.get(name)
        if previous == status:
            return
        self._was[name] = status
        self.changed_at_ms[name] = now_ms
        if not (previous in _SILENT and status in _GOOD) and len(self.changes) < MOST_CHANGES:
            self.changes.append(Change(name=name, status=status, previous=previous, at_ms=now_ms))
