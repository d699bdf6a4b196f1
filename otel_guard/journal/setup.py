"""What a journal is made with."""

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from otel_guard.core.record import Head
from otel_guard.journal.pump import SinkSpec
from otel_guard.journal.segment import VERSION
from otel_guard.runtime.clock import Clock
from otel_guard.runtime.failsafe import Failsafe


class Setup(Struct, frozen=True, kw_only=True):
    """Given once, kept over forks."""

    folder: Path | None  # None: memory only
    service: str
    environment: str
    release: str | None
    host: str
    sinks: Mapping[str, SinkSpec]
    limit_bytes: int
    clock: Clock
    failsafe: Failsafe
    warn: Callable[[str], None]


def head_of(setup: Setup, writer_id: str) -> Head:
    """Return what holds for all that *writer_id* of this process writes."""
    return Head(
        version=VERSION,
        writer_id=writer_id,
        number=1,
        service=setup.service,
        environment=setup.environment,
        release=setup.release,
        host=setup.host,
    )
