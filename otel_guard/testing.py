"""For your own tests: what was recorded within a block, without Postgres, Sentry or export."""

import os
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import ExitStack, contextmanager
from threading import RLock
from typing import Any, Final

from msgspec.structs import replace
from opentelemetry.metrics import NoOpMeterProvider

from otel_guard import guard
from otel_guard.assembly.parts import SCOPE, watch_libraries
from otel_guard.capture.visiting import visit
from otel_guard.core.bucket import Buckets
from otel_guard.core.record import Amendment, ErrorRecord, Record, Repeat, SlowCall
from otel_guard.guard import Guard
from otel_guard.instrumentation._engine import Engine
from otel_guard.journal.intake import Intake
from otel_guard.settings import Loaded, load
from otel_guard.sinks.sentry_merge import merge

CLOSE_S: Final = 2.0
_ATTACHING: Final = RLock()  # guards the guard of the process, and who listens to it


@contextmanager
def recorded() -> Iterator[list[Any]]:
    """Give the list of what is recorded within the block: errors, slow calls, repeats, in their order.

    An error is shown as its row will be: what became known of it later is merged into it. Within a configured Guard
    its records are held back from the journal; without one the libraries are watched for the length of the block.
    """
    heard = _Heard()
    with _ATTACHING:
        ear = _ear()
        ear.add(heard)
    try:
        yield heard.records
    finally:
        with _ATTACHING:
            ear.remove(heard)


class _Heard:
    """One block's list."""

    def __init__(self) -> None:
        self.records: list[Any] = []
        self._changes: dict[str, tuple[ErrorRecord, list[Amendment]]] = {}

    def take(self, record: Record) -> None:
        if isinstance(record, Amendment) and record.id in self._changes:
            first, changes = self._changes[record.id]
            changes.append(record)
            merged = merge(first, changes)
            self.records[:] = [merged if _is_error(each, record.id) else each for each in self.records]
            return
        if isinstance(record, ErrorRecord):
            self._changes[record.id] = (record, [])
        if isinstance(record, ErrorRecord | SlowCall | Repeat | Amendment):
            self.records.append(record)


class _Ear:
    """Stands before the journal of a guard as long as somebody listens."""

    def __init__(self, of: Guard, end: Callable[[], None]) -> None:
        self._guard = of
        self._end = end
        self._heard: list[_Heard] = []
        self._lock = RLock()  # guards the lists; a signal handler may record amid a record
        self._buckets: object = None

    def __call__(self, record: Record) -> bool:
        """In the journal's place."""
        with self._lock:
            for heard in self._heard:
                heard.take(record)
        return True

    def add(self, heard: _Heard) -> None:
        pipeline = self._guard.capture.pipeline
        pipeline.emit_repeats()  # what was counted before is not this block's
        before = _put(vars(pipeline), "_buckets", Buckets())  # nor is what it has seen too often
        if not self._heard:
            self._buckets = before
            vars(_intake(self._guard))["append"] = self
        with self._lock:
            self._heard.append(heard)

    def remove(self, heard: _Heard) -> None:
        pipeline = self._guard.capture.pipeline
        pipeline.emit_repeats()
        with self._lock:
            self._heard.remove(heard)
        if not self._heard:
            vars(_intake(self._guard)).pop("append", None)
            _put(vars(pipeline), "_buckets", self._buckets)
            self._end()


def _ear() -> _Ear:
    running = guard.running()
    with ExitStack() as ends:
        if running is None or not running._is_open:  # noqa: SLF001 - our own guard's
            running = _borrowed(ends)
        found = vars(_intake(running)).get("append")
        return found if isinstance(found, _Ear) else _Ear(running, ends.pop_all().close)


def _borrowed(ends: ExitStack) -> Guard:
    """A guard that delivers nowhere, in the place of the process's own until the end."""
    loaded = load()
    settings = replace(loaded.settings, dsn=None, sentry="off", console="off", enabled=True)
    made = Guard(Loaded(settings, loaded.problems, loaded.sources))
    ends.callback(_put, vars(guard), "_current", _put(vars(guard), "_current", made))
    ends.callback(made.close, CLOSE_S)
    variable, value = guard.SEMCONV  # read once, by the first instrumentor
    if variable not in os.environ:
        os.environ[variable] = value
        ends.callback(os.environ.pop, variable, None)
    provider, leave = visit(made.capture.processor)
    ends.callback(leave)
    meters, entrances = NoOpMeterProvider(), made.capture.entrances
    made.engine = Engine(
        provider.get_tracer(SCOPE),
        meters.get_meter(SCOPE),
        made._failsafe,  # noqa: SLF001 - our own guard's
        handover=entrances.handover,
        unhandled=entrances.unhandled,
        user=entrances.set_user,
        http_children=settings.instrument.http_children,
        opt_in=frozenset(settings.capture.opt_in),
        tracer_provider=provider,
        meter_provider=meters,
    )
    ends.callback(made.engine.close)
    watch_libraries(settings, made.engine)
    made.capture.install()
    vars(made).update(_is_open=True, flush=_delivered)
    return made


def _delivered(timeout_s: float = 5.0) -> bool:  # noqa: ARG001 - as `Guard.flush`
    return True


def _intake(of: Guard) -> Intake:
    return of.journal._life.intake  # noqa: SLF001 - the one way in, behind redaction


def _put(names: MutableMapping[str, Any], name: str, value: object) -> Any:
    """Set *name*; gives what it was."""
    before = names[name]
    names[name] = value
    return before


def _is_error(record: object, record_id: str) -> bool:
    return isinstance(record, ErrorRecord) and record.id == record_id
