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

from otel_guard.assembly import parts
from otel_guard.assembly.building import Parts
from otel_guard.capture import tracing
from otel_guard.core.exceptions import NotConfiguredError
from otel_guard.instrumentation._engine import Engine
from otel_guard.journal.journal import Journal
from otel_guard.runtime.clock import SYSTEM
from otel_guard.settings import Loaded, Settings, load
from otel_guard.sinks.sentry import watch_own_events

logger: Final = logging.getLogger("otel_guard")
LEAST_S: Final = 0.5  # for the exporters, though the journal took all the time
SEMCONV: Final = ("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")


class Guard:
    """The one of this process; made by `configure()`."""

    def __init__(self, loaded: Loaded) -> None:
        self.settings = loaded.settings
        self._problems = list(loaded.problems)
        self._parts = Parts(self.settings, self._problems, _say)
        self._failsafe = self._parts.failsafe
        self._is_open = False
        self.capture = self._parts.capture
        self.health = self._parts.health
        self.alerts = self._parts.alerting.alerts
        self.heartbeat = self._parts.heartbeats
        self.incidents = self._parts.alerting.incidents
        self.engine: Engine | None = None
        self._tracing: tracing.Tracing | None = None
        self._ends: list[Callable[[], None]] = []
        self._quiet = tracing.QuietExporters(_say, SYSTEM)

    @property
    def problems(self) -> tuple[str, ...]:
        """A line for each thing that is wrong with the settings."""
        return tuple(self._problems)

    @property
    def journal(self) -> Journal:
        """The queue; `testing` and `status` look at it."""
        return self._parts.journal

    def start(self) -> None:
        """Begin to watch; nothing of it raises."""
        for line in self._problems:
            _say(line)
        if not self.settings.enabled:
            return
        self._is_open = True
        os.environ.setdefault(*SEMCONV)  # read once, by the first instrumentor
        with self._failsafe("configure: tracing"):
            self._tracing = tracing.set_up(self._parts.who, self._parts.redactor, os.environ)
            self._tracing.provider.add_span_processor(self.capture.processor)
        with self._failsafe("configure: journal"):
            self._parts.start()
        with self._failsafe("configure: instrumentation"):
            self.engine = parts.engine(self.settings, self.capture.entrances, self._failsafe, self.close)
            for name in parts.watch_libraries(self.settings, self.engine):
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
            _say("capture_error() was called without an exception: call it in an except block, or give one")
        return None

    def set_user(self, user_id: object) -> None:
        """See `otel_guard.user`."""
        with self._failsafe("user"):
            self.capture.entrances.set_user(user_id)

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Deliver now; True: every durable sink has all appended before."""
        return self._is_open and self._parts.journal.flush(timeout_s)

    def close(self, timeout_s: float | None = None) -> None:
        """Flush for up to `exit_timeout_s`, then stop; idempotent, runs at exit, never raises or hangs."""
        if not self._is_open:
            return
        self._is_open = False
        self.health.close()
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
            self._parts.close(limit_s)
        if is_beside:
            closing.join(max(until - SYSTEM.monotonic(), 0))
        else:
            self._shut_tracing(max(until - SYSTEM.monotonic(), LEAST_S))
        with self._failsafe("close: instrumentation"):
            if self.engine is not None:
                self.engine.close()
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

    def _own_event(self, exc: BaseException, event_id: str) -> None:
        with self._failsafe("sentry event"):
            self.capture.entrances.own_event(exc, event_id)

    def _problem(self, line: str) -> None:
        self._problems.append(line)
        _say(line)

    def after_fork(self) -> None:
        """In the child: nothing of the parent's requests is ours; the journal sees to itself."""
        if self._is_open:
            self._parts.after_fork()


def _say(line: str) -> None:
    logger.warning("otel-guard: %s", line)


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
