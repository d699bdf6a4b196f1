"""Passive health: what the last calls say of a dependency, without asking it anything (operations.md, section 2.1)."""

from typing import Final

from msgspec import Struct

from otel_guard.core.dependency import Sign, Status
from otel_guard.core.overall import CIRCUIT_OPEN

BUCKET_MS: Final = 10_000
BUCKETS: Final = 30
SHORT: Final = 6  # buckets of the last 60 s
LEAST: Final = 5
LEAST_DEGRADED: Final = 20
UNHEALTHY_RATE: Final = 0.5
DEGRADED_RATE: Final = 0.1
SLOW_SHARE: Final = 0.05  # more than this above the limit: so is p95
IN_A_ROW: Final = 5
RECOVERED: Final = 3
OPEN: Final = "open"
HALF_OPEN: Final = "half_open"


class Window(Struct, frozen=True, kw_only=True):
    """What a span of time holds; calls that say nothing of the peer are not in it."""

    samples: int = 0
    failures: int = 0
    slow: int = 0
    latency_ms: float | None = None  # mean of those that succeeded

    @property
    def error_rate(self) -> float | None:
        """Failures by samples, None without any."""
        return self.failures / self.samples if self.samples else None


class Probe(Struct, frozen=True, kw_only=True):
    """The last answer of an active check."""

    status: Status  # healthy, degraded, unhealthy
    at_ms: int
    message: str | None = None
    latency_ms: float | None = None
    is_deciding: bool = True  # False: it proves the edge, not the work behind it, so it only ends `unknown`


class Verdict(Struct, frozen=True, kw_only=True):
    """How a dependency is."""

    status: Status
    source: str | None = None  # passive, active
    message: str | None = None
    latency_ms: float | None = None
    error_rate: float | None = None
    samples: int | None = None


class Ring:
    """30 buckets of 10 s; `observe` is the hot path: no lock, at worst a call is not counted."""

    __slots__ = ("_rows", "_slow_ms", "failed_at_ms", "failed_in_row", "last", "last_class", "ok_at_ms", "ok_in_row")

    def __init__(self, slow_ms: float = 0.0) -> None:
        """*slow_ms*: above it a call is slow, 0: none is."""
        self._slow_ms = slow_ms or float("inf")
        self._rows: list[list[float]] = [[-1, 0, 0, 0, 0.0] for _ in range(BUCKETS)]
        self.last: Sign | None = None
        self.last_class: str | None = None
        self.ok_in_row = self.failed_in_row = 0
        self.ok_at_ms = self.failed_at_ms = 0

    def observe(self, sign: Sign, error_class: str | None, duration_ms: float, at_ms: int) -> None:
        """Count one call that ended at *at_ms*."""
        slot = at_ms // BUCKET_MS
        row = self._rows[slot % BUCKETS]
        if row[0] != slot:
            row[:] = (slot, 0, 0, 0, 0.0)
        row[1] += 1
        if duration_ms > self._slow_ms:
            row[3] += 1
        self.last = sign
        if sign == "ok":
            row[4] += duration_ms
            self.ok_in_row += 1
            self.failed_in_row = 0
            self.ok_at_ms = at_ms
        else:
            row[2] += 1
            self.failed_in_row += 1
            self.ok_in_row = 0
            self.failed_at_ms = at_ms
            self.last_class = error_class

    def window(self, now_ms: int, buckets: int = BUCKETS) -> Window:
        """Sum the last *buckets*, the one that is filling among them."""
        newest = now_ms // BUCKET_MS
        rows = [row for row in self._rows if newest - buckets < row[0] <= newest]
        samples, failures, slow = (int(sum(row[column] for row in rows)) for column in (1, 2, 3))
        good = samples - failures
        return Window(
            samples=samples,
            failures=failures,
            slow=slow,
            latency_ms=sum(row[4] for row in rows) / good if good > 0 else None,
        )


def judge(
    ring: Ring | None, now_ms: int, *, was: Status | None = None, circuit: str | None = None, probe: Probe | None = None
) -> Verdict:
    """Judge one dependency; *was* is its status before, *circuit* its breaker's state (closed, open, half_open)."""
    short = ring.window(now_ms, SHORT) if ring is not None else Window()
    long = ring.window(now_ms) if ring is not None else Window()
    if circuit == OPEN:
        return _said("unhealthy", short if short.samples else long, CIRCUIT_OPEN)
    if ring is not None and long.samples:
        if ring.last == "credentials" and short.samples == short.failures:
            return _said("unhealthy", long, "credentials")
        if short.samples >= LEAST:
            return _judged(ring, short, was, circuit, probe)
        if was == "unhealthy" and long.failures and not _has_recovered(ring, probe):
            return _said("unhealthy", long, _counted(long))
    if probe is not None and probe.is_deciding:
        return _probed(probe, long)
    if ring is not None and long.samples >= LEAST:
        return _judged(ring, long, was, circuit, probe)
    if probe is not None:
        return _probed(probe, long)
    return Verdict(status="unknown" if ring is not None else "not_configured")


def _judged(ring: Ring, window: Window, was: Status | None, circuit: str | None, probe: Probe | None) -> Verdict:
    rate = window.error_rate or 0.0
    is_bad = rate >= UNHEALTHY_RATE or ring.failed_in_row >= IN_A_ROW or was == "unhealthy"
    if is_bad and not _has_recovered(ring, probe):
        return _said("unhealthy", window, _counted(window))
    if window.samples >= LEAST_DEGRADED:
        if rate >= DEGRADED_RATE:
            return _said("degraded", window, _counted(window))
        if window.slow / window.samples > SLOW_SHARE:
            return _said("degraded", window, "slow")
    if circuit == HALF_OPEN:
        return _said("degraded", window, "circuit half-open")
    return _said("healthy", window, None)


def _has_recovered(ring: Ring, probe: Probe | None) -> bool:
    if ring.ok_in_row >= RECOVERED:
        return True
    passed = probe is not None and probe.status == "healthy" and probe.is_deciding and probe.at_ms > ring.failed_at_ms
    return passed and ring.ok_in_row >= 1


def _said(status: Status, window: Window, message: str | None) -> Verdict:
    return Verdict(
        status=status,
        source="passive",
        message=message,
        latency_ms=window.latency_ms,
        error_rate=window.error_rate,
        samples=window.samples,
    )


def _probed(probe: Probe, window: Window) -> Verdict:
    return Verdict(
        status=probe.status,
        source="active",
        message=probe.message,
        latency_ms=probe.latency_ms,
        error_rate=window.error_rate,
        samples=window.samples or None,
    )


def _counted(window: Window) -> str:
    return f"{window.failures} of {window.samples} calls failed"
