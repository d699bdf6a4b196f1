"""The only queue: what was appended is delivered by this process, or by whoever adopts its files."""

import os
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path

from otel_guard.core.record import Record
from otel_guard.journal.life import Life
from otel_guard.journal.place import is_durable
from otel_guard.journal.pump import SinkSpec
from otel_guard.journal.setup import Setup
from otel_guard.journal.stats import JournalStats, SinkStats
from otel_guard.journal.upkeep import Callback
from otel_guard.runtime.clock import Clock
from otel_guard.runtime.failsafe import Failsafe


class Journal:
    """Kept over forks: each process has its own writer, files and threads."""

    def __init__(
        self,
        folder: Path | None,
        *,
        service: str,
        environment: str,
        release: str | None,
        host: str,
        sinks: Mapping[str, SinkSpec],
        limit_bytes: int,
        clock: Clock,
        failsafe: Failsafe,
        warn: Callable[[str], None],
    ) -> None:
        """*folder* None: memory only. A sink's name is its thread's and cursor's."""
        self._setup = Setup(
            folder=folder,
            service=service,
            environment=environment,
            release=release,
            host=host,
            sinks=dict(sinks),
            limit_bytes=limit_bytes,
            clock=clock,
            failsafe=failsafe,
            warn=warn,
        )
        self._callbacks: list[Callback] = []
        self._is_started = False
        self._is_durable: bool | None = None
        self._life = Life(self._setup, self._callbacks)

    @property
    def writer_id(self) -> str:
        """This process's journal."""
        return self._current().intake.writer_id

    @property
    def level(self) -> int:
        """How full the folder is: 0 free, 1 nearly (no stats, no slow calls), 2 full (only counts), 3 not even those."""
        return self._current().intake.level

    def append(self, record: Record) -> bool:
        """Keep *record*: on disk when this returns True; False: dropped and counted. Safe in signal handlers."""
        life = self._life
        try:
            if life.pid != os.getpid():
                life = self._current()
            if self._is_started:
                life.start()
            return life.intake.append(record)
        except BaseException as exc:
            if not self._setup.failsafe.swallow("journal.append", exc):
                raise
            life.dropped.note("failed", record)
            return False

    def next_seq(self) -> int:
        """Return the next number of an error of this writer, from 1."""
        return next(self._current().intake.seqs)

    def start(self) -> None:
        """Open the files and start the threads `otel-guard-<sink>` and `otel-guard-scheduler`; cheap once it did.

        A forked child does so at its first append, or when this is called there.
        """
        if self._life.is_started and self._life.pid == os.getpid():
            return
        if not self._is_started:
            self._is_started = True
            mine = weakref.ref(self)
            os.register_at_fork(after_in_child=lambda: _forked(mine))
        with self._setup.failsafe("journal.start"):
            self._current().start()

    def every(self, period_s: float, fn: Callable[[], None]) -> None:
        """Call *fn* each *period_s* in the scheduler's thread, and once before the last delivery."""
        self._callbacks.append(Callback(period_s, fn))

    def flush(self, timeout_s: float) -> bool:
        """Whether, within *timeout_s*, every durable sink passed all that was appended before."""
        with self._setup.failsafe("journal.flush"):
            return self._current().flush(timeout_s, is_durable_enough=True)
        return False

    def close(self, timeout_s: float) -> None:
        """Deliver for up to *timeout_s*, then stop; what is left stays on disk for others. Idempotent."""
        with self._setup.failsafe("journal.close"):
            self._current().close(timeout_s)

    def stats(self) -> JournalStats:
        """How it stands."""
        life, now_ms = self._current(), self._setup.clock.now_ms()
        life.dropped.collect()
        sinks = {
            name: SinkStats(
                lag_s=max(0.0, (now_ms - pump.oldest_ms) / 1000) if pump.oldest_ms else 0.0,
                delivered=pump.delivered,
                retries=pump.retries,
                trouble=pump.trouble,
            )
            for name, pump in life.outflow.pumps.items()
        }
        durable = [name for name, spec in self._setup.sinks.items() if spec.durable]
        return JournalStats(
            bytes=life.intake.quota.used_bytes if self._setup.folder else life.ring.size_bytes,
            limit_bytes=life.intake.quota.limit_bytes if self._setup.folder else life.ring.limit_bytes,
            oldest_s=max((sinks[name].lag_s for name in durable), default=0.0),
            memory_mode=self._setup.folder is None or life.intake.memory_why is not None,
            memory_why=life.intake.memory_why,
            durable=self._is_on_durable_disk(),
            dropped=dict(life.dropped.totals),
            write_errors=dict(life.intake.write_errors),
            quarantined=life.outflow.quarantine.records + life.outflow.quarantine.damaged,
            corrupt_bytes=life.outflow.quarantine.damaged_bytes,
            adopted=life.outflow.adopted,
            sinks=sinks,
        )

    def after_fork(self) -> None:
        """In a child: let go of the parent's files; nothing is opened before the first append."""
        old = self._life
        if old.pid != os.getpid():
            self._life = Life(self._setup, self._callbacks)
            old.abandon()

    def _current(self) -> Life:
        if self._life.pid != os.getpid():
            self.after_fork()
        return self._life

    def _is_on_durable_disk(self) -> bool:
        if self._setup.folder is None:
            return False
        if self._is_durable is None:
            self._is_durable = is_durable(self._setup.folder)
        return self._is_durable


def _forked(journal: "weakref.ref[Journal]") -> None:
    """Let the journal of a child know, if it still exists."""
    known = journal()
    if known is not None:
        known.after_fork()
