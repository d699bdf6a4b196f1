"""Count every call; slow ones become records; equal queries under one request are noticed."""

import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

from otel_guard.capture.frames import Frame, Frames, place_of
from otel_guard.capture.roots import Root
from otel_guard.core import semconv, sql
from otel_guard.core.classify import Call
from otel_guard.core.record import CallStats, Record, SlowCall
from otel_guard.core.rollup import Rollup
from otel_guard.runtime.clock import Clock
from otel_guard.runtime.ids import uuid7

REPEATS: Final = 10  # equal queries under one request that make an N+1 finding
QUIET_MS: Final = 600_000  # between two findings of one summary and route
MAX_WAITING: Final = 5_000
MAX_FINDINGS: Final = 1_000


class Stats:
    """Sums in memory, handed to *append* each 15 s."""

    def __init__(
        self,
        thresholds: Mapping[str, int],
        frames: Frames,
        redact: Callable[[str], str],
        append: Callable[[Record], bool],
        clock: Clock,
        wake: Callable[[], None],
    ) -> None:
        """*wake* starts the journal of a forked child at its first call."""
        self._thresholds = thresholds
        self._frames = frames
        self._redact = redact
        self._append = append
        self._clock = clock
        self._wake = wake
        self._is_fresh = False
        self._waiting: deque[Call] = deque()  # appends are atomic, so no lock in the application's threads
        self._rollup = Rollup()
        self._adding = threading.Lock()
        self._found_at: dict[tuple[str, str | None], int] = {}

    def observe(self, call: Call) -> None:
        """Count *call*."""
        if self._is_fresh:
            self._is_fresh = False
            self._wake()
        self._waiting.append(call)
        if len(self._waiting) > MAX_WAITING:
            self._add_waiting()

    def is_slow(self, call: Call) -> bool:
        """Whether *call* took longer than its context's threshold."""
        threshold = self._thresholds.get(call.context, 0)
        return 0 < threshold < call.duration_ms

    def slow(self, call: Call, attributes: Mapping[str, object], span_id: str, trace_id: str) -> None:
        """Record a slow call with its place."""
        text = attributes.get(semconv.DB_QUERY_TEXT) or attributes.get(semconv.DB_STATEMENT)
        query = self._redact(sql.sanitize(str(text))) if text else None
        place = self.place()
        self._append(
            SlowCall(
                id=uuid7(self._clock.now_ms()),
                type="database_query" if call.context == "database" else f"{call.context}_call",
                value=call.duration_ms,
                duration_ms=call.duration_ms,
                query_text=query,
                table_name=sql.table(query) if query else None,
                metadata={"place": place} if place else {},
                system=call.system,
                operation=call.operation,
                route=call.route,
                trace_id=trace_id,
                span_id=span_id,
            )
        )

    def place(self) -> dict[str, object] | None:
        """The application's line that is waiting for this call, where it can be seen."""
        return place_attributes(self._frames.place_above(sys._getframe(1)))  # noqa: SLF001 - the documented way

    def repeats(self, root: Root, route: str | None, trace_id: str, span_id: str) -> None:
        """At a root's end: queries that ran ten times or more are findings, at most one in 10 minutes each."""
        now_ms = self._clock.now_ms()
        for summary, repeated in root.summaries.items():
            if repeated.n < REPEATS or now_ms - self._found_at.get((summary, route), 0) < QUIET_MS:
                continue
            if len(self._found_at) >= MAX_FINDINGS:
                self._found_at.clear()
            self._found_at[summary, route] = now_ms
            metadata: dict[str, object] = {"summary": summary, "total_ms": round(repeated.total_ms, 3)}
            if repeated.place:
                metadata["place"] = repeated.place
            self._append(
                SlowCall(
                    id=uuid7(now_ms),
                    type="n_plus_one",
                    value=repeated.n,
                    metadata=metadata,
                    system=repeated.system,
                    operation=summary,
                    route=route,
                    trace_id=trace_id,
                    span_id=span_id,
                )
            )

    def emit(self) -> None:
        """Append the sums so far."""
        self._add_waiting()
        with self._adding:
            rows = self._rollup.take()
        if rows:
            self._append(CallStats(id=uuid7(self._clock.now_ms()), rows=rows))

    def forget_all(self) -> None:
        """After a fork: what the parent counted is the parent's."""
        self._is_fresh = True
        self._waiting.clear()
        self._adding = threading.Lock()
        self._rollup = Rollup()

    def _add_waiting(self) -> None:
        if not self._adding.acquire(blocking=False):
            return  # another thread is at it: nobody waits for counting
        try:
            while self._waiting:
                self._rollup.add(self._waiting.popleft())
        except IndexError:
            return  # the last one was taken in the same moment
        finally:
            self._adding.release()


def place_attributes(frame: Frame | None) -> dict[str, object] | None:
    """`metadata.place` of a frame, in OTel's names."""
    if frame is None:
        return None
    path, line, function = place_of(frame)
    return {semconv.CODE_FILE_PATH: path, semconv.CODE_LINE_NUMBER: line, semconv.CODE_FUNCTION_NAME: function}
