"""Builds everything from the settings, introduces the parts, owns their life: start, flush, close, fork."""

import atexit
import logging
import os
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any, Final, Self

import msgspec

from otel_guard import assembly
from otel_guard.capture import tracing
from otel_guard.capture.parts import Capture
from otel_guard.capture.roots import Roots
from otel_guard.core.exceptions import NotConfiguredError
from otel_guard.core.record import Amendment
from otel_guard.instrumentation._engine import Engine
from otel_guard.journal.journal import Journal
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.settings import Loaded, Settings, load
from otel_guard.settings.identity import identity
from otel_guard.sinks.sentry import watch_own_events

logger: Final = logging.getLogger("otel_guard")
REPEATS_S: Final = 1.0
STATS_S: Final = 15.0
LEAST_S: Final = 0.5  # for the exporters, though the journal took all the time
SCOPE: Final = "otel_guard"
SEMCONV: Final = ("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")


class Guard:
    """The one of this process; made by `configure()`."""

    def __init__(self, loaded: Loaded) -> None:
        self.settings = loaded.settings
        self._problems = list(loaded.problems)
        self._identity = identity(self.settings, os.environ)
        self._failsafe = Failsafe(strict=False)
        self._roots = Roots()
        self._redactor = assembly.redactor(self.settings, self._problems)
        self._is_open = False
        self._beats = assembly.Beats(self._identity)
        self._sinks = assembly.sinks(
            self.settings, self._identity, self._redactor, self._root_ended, self._tend, self._problems, self._say
        )
        self._journal = assembly.journal(self.settings, self._identity, self._sinks, self._failsafe, self._say)
        self.capture = Capture(
            self.settings,
            self._journal,
            self._redactor,
            self._roots,
            SYSTEM,
            self._failsafe,
            own_peers=tracing.endpoints(os.environ),
            wake=self._journal.start,
            on_amendment=self._amended,
        )
        self.engine: Engine | None = None
        self._tracing: tracing.Tracing | None = None
        self._ends: list[Callable[[], None]] = []
        self._quiet = tracing.QuietExporters(self._say, SYSTEM)

    @property
    def problems(self) -> tuple[str, ...]:
        """A line for each thing that is wrong with the settings."""
        return tuple(self._problems)

    @property
    def journal(self) -> Journal:
        """The queue; `testing` and `status` look at it."""
        return self._journal

    def start(self) -> None:
        """Begin to watch; nothing of it raises."""
        for line in self._problems:
            self._say(line)
        if not self.settings.enabled:
            return
        self._is_open = True
        os.environ.setdefault(*SEMCONV)  # read once, by the first instrumentor
        with self._failsafe("configure: tracing"):
            self._tracing = tracing.set_up(self._identity, self._redactor, os.environ)
            self._tracing.provider.add_span_processor(self.capture.processor)
        with self._failsafe("configure: journal"):
            self._journal.every(REPEATS_S, self.capture.pipeline.emit_repeats)
            self._journal.every(STATS_S, self.capture.stats.emit)
            self._journal.start()
        with self._failsafe("configure: instrumentation"):
            self.engine = assembly.engine(self.settings, self.capture.entrances, self._failsafe)
            for name in assembly.watch_libraries(self.settings, self.engine):
                self._problem(f"OTEL_GUARD_INSTRUMENT_OFF or _ON names {name}, which is no library we know")
        with self._failsafe("configure: hooks"):
            self._quiet.install()
            self.capture.install()
            self._ends.append(watch_own_events(self._own_event))
        os.register_at_fork(after_in_child=_weakly(self))
        atexit.register(self.close)

    def report(self, exc: BaseException | None, **said: Any) -> str | None:
        """The application's own report: see `otel_guard.capture_error`."""
        with self._failsafe("capture_error"):
            if exc is not None or sys.exc_info()[1] is not None:
                return self.capture.entrances.capture_error(exc, **said)
            self._say("capture_error() was called without an exception: call it in an except block, or give one")
        return None

    def set_user(self, user_id: object) -> None:
        """See `otel_guard.user`."""
        with self._failsafe("user"):
            self.capture.entrances.set_user(user_id)

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Deliver now; True: every durable sink has all appended before."""
        return self._is_open and self._journal.flush(timeout_s)

    def close(self, timeout_s: float | None = None) -> None:
        """Flush for up to `exit_timeout_s`, then stop; idempotent, runs at exit, never raises or hangs."""
        if not self._is_open:
            return
        self._is_open = False
        limit_s = self.settings.exit_timeout_s if timeout_s is None else timeout_s
        until = SYSTEM.monotonic() + limit_s
        with self._failsafe("close: hooks"):
            self.capture.uninstall()
            for end in self._ends:
                end()
        is_beside = False
        closing = threading.Thread(target=self._shut_tracing, args=(limit_s,), daemon=True, name="otel-guard-close")
        with self._failsafe("close: journal"):
            is_beside = _started(closing)
            if self._sinks.sentry is not None:
                self._sinks.sentry.closing = True
            self._journal.close(limit_s)
        if is_beside:
            closing.join(max(until - SYSTEM.monotonic(), 0))
        else:
            self._shut_tracing(max(until - SYSTEM.monotonic(), LEAST_S))
        with self._failsafe("close: instrumentation"):
            if self.engine is not None:
                self.engine.uninstrument()
        atexit.unregister(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        _forget(self)

    def _shut_tracing(self, limit_s: float) -> None:
        with self._failsafe("close: tracing"):
            if self._tracing is not None:
                tracing.shut_down(self._tracing, limit_s)
        self._quiet.uninstall()

    def _root_ended(self, trace_id: str) -> bool:
        return not self._roots.is_open(trace_id)

    def _amended(self, amendment: Amendment) -> None:
        if self._sinks.sentry is not None:
            self._sinks.sentry.amended(amendment)

    def _tend(self) -> None:
        """In the thread of Postgres, between two batches."""
        if self._sinks.postgres is not None:
            self._beats.tend(self._sinks.postgres, self._journal)

    def _own_event(self, exc: BaseException, event_id: str) -> None:
        with self._failsafe("sentry event"):
            self.capture.entrances.own_event(exc, event_id)

    def _problem(self, line: str) -> None:
        self._problems.append(line)
        self._say(line)

    def _say(self, line: str) -> None:
        logger.warning("otel-guard: %s", line)

    def after_fork(self) -> None:
        """In the child: nothing of the parent's requests is ours; the journal sees to itself."""
        if self._is_open:
            self.capture.after_fork()


def _weakly(guard: Guard) -> Callable[[], None]:
    reference = weakref.ref(guard)

    def after_in_child() -> None:
        alive = reference()
        if alive is not None:
            alive.after_fork()

    return after_in_child


def _started(thread: threading.Thread) -> bool:
    """Start *thread*; False: the interpreter ends and allows none (Python 3.12.0 and 3.12.1 in `atexit` already)."""
    try:
        thread.start()
    except RuntimeError:
        return False
    return True


_current: Guard | None = None
_configuring: Final = threading.Lock()


def configure(*, settings: Settings | None = None, **overrides: object) -> Guard:
    """Watch this process; a second call returns the same Guard, with a warning if it asks for something else.

    Raises:
        TypeError: an unknown keyword, or a setting of the wrong type.
        SettingsError: with `strict`, for a bad variable or file.
    """
    global _current  # noqa: PLW0603 - the one process-wide name
    if settings is not None and not isinstance(settings, Settings):
        raise TypeError("configure(settings=…) takes an otel_guard.Settings")
    if settings is not None and overrides:
        raise TypeError("configure() takes either settings=… or keywords, not both")
    loaded = Loaded(settings, (), {}) if settings is not None else load(overrides)
    with _configuring:
        if _current is not None:
            if _differs(_current.settings, loaded.settings):
                logger.warning("otel-guard: configure() was called before with other settings; the first ones hold")
            return _current
        made = Guard(loaded)
        _current = made
    made.start()
    return made


def current() -> Guard:
    """The Guard of this process; NotConfiguredError before `configure()`."""
    if _current is None:
        raise NotConfiguredError
    return _current


def running() -> Guard | None:
    """The Guard if there is one and it is enabled."""
    return _current if _current is not None and _current.settings.enabled else None


def pre_instrument() -> None:
    """The entry point `opentelemetry_pre_instrument`: may not raise, an error would stop all other instrumentors."""
    try:
        configure()
    except Exception as error:
        logger.warning("otel-guard: not started (%s); the application runs on unwatched", error)


def _differs(one: Settings, other: Settings) -> bool:
    return bool(msgspec.to_builtins(one) != msgspec.to_builtins(other))


def _forget(guard: Guard) -> None:
    global _current  # noqa: PLW0603 - the one process-wide name
    if _current is guard:
        _current = None
