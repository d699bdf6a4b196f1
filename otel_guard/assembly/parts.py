"""Journal, engine, and the row in which a process says that it lives."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from opentelemetry import metrics, trace

from otel_guard.assembly.sinks import Sinks
from otel_guard.capture.entrances import Entrances
from otel_guard.instrumentation import _libraries
from otel_guard.instrumentation._engine import Engine
from otel_guard.journal import place
from otel_guard.journal.journal import Journal
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.settings import Settings
from otel_guard.settings.identity import Identity
from otel_guard.sinks.postgres import PostgresSink
from otel_guard.store.heartbeats import Beat

MIB: Final = 1024 * 1024
BEAT_S: Final = 60.0
SCOPE: Final = "otel_guard"

Say = Callable[[str], None]


def journal(
    settings: Settings, who: Identity, folder: Path | None, made: Sinks, failsafe: Failsafe, warn: Say
) -> Journal:
    """The queue; *folder* None: in memory only."""
    return Journal(
        folder,
        service=who.service,
        environment=who.environment,
        release=who.release,
        host=who.host,
        sinks=made.specs,
        limit_bytes=settings.journal.limit_mb * MIB,
        clock=SYSTEM,
        failsafe=failsafe,
        warn=warn,
    )


def folder(settings: Settings, who: Identity, target: str | None) -> Path:
    """The journal's folder of this service and target."""
    base = Path(settings.journal.dir) if settings.journal.dir else place.default_dir(os.environ)
    return base / place.folder_name(who.service, target)


def engine(settings: Settings, entrances: Entrances, failsafe: Failsafe, flush: Callable[[], object]) -> Engine:
    """The engine of all instrumentations, on the providers that are set now."""
    return Engine(
        trace.get_tracer(SCOPE),
        metrics.get_meter(SCOPE),
        failsafe,
        handover=entrances.handover,
        unhandled=entrances.unhandled,
        user=entrances.set_user,
        flush=flush,
        http_children=settings.instrument.http_children,
        opt_in=frozenset(settings.capture.opt_in),
    )


def watch_libraries(settings: Settings, made: Engine) -> list[str]:
    """Watch what is loaded or will be; names in the settings that are no library of ours."""
    group = settings.instrument
    said = _libraries.install(made, off=frozenset(group.off), on=frozenset(group.on))
    return [status.name for status in said if status.status == "unknown"]


class Beats:
    """This process's row of `heartbeats`, each 60 s."""

    def __init__(self, who: Identity) -> None:
        self._who = who
        self._at = -BEAT_S

    def tend(self, sink: PostgresSink, queue: Journal) -> None:
        """Let the sink see to its connection, and write the row when it is due."""
        sink.tend()
        now = SYSTEM.monotonic()
        if now - self._at >= BEAT_S:
            self._at = now
            sink.beat(_beat(self._who, queue))


def _beat(who: Identity, queue: Journal) -> Beat:
    stats = queue.stats()
    return Beat(
        name=who.service,
        instance=f"{who.host}:{os.getpid()}",
        service=who.service,
        environment=who.environment,
        period_s=BEAT_S,
        detail={
            "journal_bytes": stats.bytes,
            "limit_bytes": stats.limit_bytes,
            "oldest_s": round(stats.oldest_s, 1),
            "dropped": sum(stats.dropped.values()),
            "quarantined": stats.quarantined,
            "memory_mode": stats.memory_mode,
            "durable": stats.durable,
            "release": who.release,
        },
    )
