"""ERROR and CRITICAL log records: the record handler of last resort, without touching the application's handlers."""

import logging
import sys
from contextvars import ContextVar
from typing import Any, Final

from otel_guard.capture.entrances import Entrances
from otel_guard.core.record import Severity
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.runtime.suppression import is_sending
from otel_guard.runtime.text import safe_text

# Ours, the exporters' and Sentry's: their trouble is shown elsewhere, and recording it would feed itself.
NEVER: Final = ("otel_guard", "opentelemetry", "sentry_sdk", "urllib3.connectionpool")
TEXT_LIMIT: Final = 2_000


_inside: Final[ContextVar[bool]] = ContextVar("otel_guard_inside_logging", default=False)


class LogCapture:
    """Wraps `Logger.callHandlers`: a root handler would disarm the application's `basicConfig`."""

    def __init__(self, entrances: Entrances, failsafe: Failsafe, *, is_plain_captured: bool) -> None:
        """*is_plain_captured*: ERROR records without an exception too."""
        self._entrances = entrances
        self._failsafe = failsafe
        self._is_plain_captured = is_plain_captured
        self._original: Any = None

    def install(self) -> None:
        """Begin; twice is once."""
        if self._original is not None:
            return
        original = logging.Logger.callHandlers
        take = self._take

        def call_handlers(logger: logging.Logger, record: logging.LogRecord) -> None:
            take(record)
            if record.levelno < logging.ERROR:
                return original(logger, record)
            token = _inside.set(True)  # OTel's handler would hand the same record to our log-record processor
            try:
                return original(logger, record)
            finally:
                _inside.reset(token)

        call_handlers.__wrapped__ = original  # type: ignore[attr-defined]
        self._original = original
        logging.Logger.callHandlers = call_handlers  # type: ignore[method-assign,assignment]

    def uninstall(self) -> None:
        """Restore, if nobody wrapped us meanwhile; else pass through."""
        current = logging.Logger.callHandlers
        if self._original is not None and getattr(current, "__wrapped__", None) is self._original:
            logging.Logger.callHandlers = self._original  # type: ignore[method-assign,assignment]
        self._original = None

    def _take(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.ERROR or self._original is None:
            return
        try:
            if is_sending() or record.name.startswith(NEVER):
                return
            self._record(record)
        except BaseException as exc:
            if not self._failsafe.swallow("logs", exc):
                raise

    def _record(self, record: logging.LogRecord) -> None:
        exc = _exception(record)
        if exc is None and not self._is_plain_captured:
            return
        if isinstance(exc, KeyboardInterrupt | SystemExit):
            return
        text = safe_text(_message(record), TEXT_LIMIT)
        logged: dict[str, object] = {"logger": record.name, "level": record.levelname, "message": text}
        floor: Severity = "high" if record.levelno >= logging.CRITICAL else "medium"
        if record.name == "asyncio" and exc is not None:
            self._entrances.left_process(exc, floor)
        else:
            self._entrances.logged(exc, logged, floor, text)


def is_inside_logging() -> bool:
    """Whether the handlers of an ERROR record run now: it was taken already."""
    return _inside.get()


def _exception(record: logging.LogRecord) -> BaseException | None:
    info = record.exc_info
    if isinstance(info, tuple):
        return info[1]
    return sys.exc_info()[1] if info else None


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:
        return safe_text(record.msg)  # the application's format and arguments don't fit; logging says so itself
