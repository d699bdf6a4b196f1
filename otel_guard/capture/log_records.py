"""ERROR log records that reach OTel's logs SDK without passing through `logging`."""

import sys
from collections.abc import Mapping
from typing import Final

from opentelemetry import _logs
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor, ReadWriteLogRecord

from otel_guard.capture.entrances import Entrances
from otel_guard.capture.logs import NEVER, TEXT_LIMIT, is_inside_logging
from otel_guard.capture.traceback import type_name
from otel_guard.core import semconv
from otel_guard.core.record import Severity
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.runtime.suppression import is_sending
from otel_guard.runtime.text import safe_text

ERROR: Final = 17  # OTel's severity numbers: ERROR is 17 to 20, FATAL 21 to 24
FATAL: Final = 21


class GuardLogRecordProcessor(LogRecordProcessor):
    """Takes the record's exception; one that is known already is only amended."""

    def __init__(self, entrances: Entrances, failsafe: Failsafe) -> None:
        self._entrances = entrances
        self._failsafe = failsafe
        self._is_on = True

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Judge one record; may not raise."""
        try:
            if self._is_on and not is_sending() and not is_inside_logging():
                self._take(log_record)
        except BaseException as exc:
            if not self._failsafe.swallow("log record", exc):
                raise

    def shutdown(self) -> None:
        """Stop listening; nothing is held here."""
        self._is_on = False

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - OTel's signature
        """Nothing waits here."""
        return True

    def _take(self, emitted: ReadWriteLogRecord) -> None:
        record, scope = emitted.log_record, emitted.instrumentation_scope
        number = record.severity_number.value if record.severity_number is not None else 0
        name = scope.name if scope is not None else ""
        if number < ERROR or name.startswith(NEVER):
            return
        attributes: Mapping[str, object] = record.attributes or {}
        recorded = attributes.get(semconv.EXCEPTION_TYPE)
        exc = getattr(record, "exception", None) or _live(str(recorded) if recorded else None)
        if exc is None and recorded is None:
            return
        text = safe_text(record.body if record.body is not None else "", TEXT_LIMIT)
        level = record.severity_text or ("FATAL" if number >= FATAL else "ERROR")
        floor: Severity = "high" if number >= FATAL else "medium"
        message = safe_text(attributes.get(semconv.EXCEPTION_MESSAGE) or text, TEXT_LIMIT)
        logged: dict[str, object] = {"logger": name, "level": level, "message": text}
        self._entrances.logged(exc, logged, floor, message, str(recorded) if recorded else None)


def attach(entrances: Entrances, failsafe: Failsafe) -> GuardLogRecordProcessor | None:
    """Listen to the application's own logger provider; without one there is nothing to hear."""
    provider = _logs.get_logger_provider()
    if not isinstance(provider, LoggerProvider):
        return None
    processor = GuardLogRecordProcessor(entrances, failsafe)
    provider.add_log_record_processor(processor)
    return processor


def _live(recorded: str | None) -> BaseException | None:
    """The exception being handled, if the record speaks of its type."""
    exc = sys.exc_info()[1]
    if exc is None or recorded is None:
        return None
    return exc if type_name(exc) == recorded or type(exc).__name__ == recorded else None
