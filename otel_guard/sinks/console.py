"""Records as readable lines, for development without Postgres and Sentry."""

from datetime import UTC, datetime
from typing import Final, TextIO

from otel_guard.core.delivery import Batch, Delivered, Outcome
from otel_guard.core.record import Amendment, Drops, ErrorRecord, Record, Repeat, Severity, SlowCall, created_at_ms

_COLOURS: Final[dict[Severity, str]] = {"low": "2", "medium": "33", "high": "31", "critical": "1;31"}
_MESSAGE_LIMIT: Final = 200
_ID_SHOWN: Final = 6


class ConsoleSink:
    """Writes a line or two a record to *stream*; coloured on a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()

    def deliver(self, batch: Batch) -> Outcome:
        """Print *batch*; a closed stream takes nothing and holds nobody up."""
        lines = [line for record in batch.records for line in self._lines(record)]
        try:
            if lines:
                self._stream.write("".join(f"{line}\n" for line in lines))
                self._stream.flush()
        except (OSError, ValueError):
            pass
        return Delivered()

    def close(self) -> None:
        """Leave the stream open: it is the application's."""

    def _lines(self, record: Record) -> list[str]:
        match record:
            case ErrorRecord() | Repeat():
                return self._error(record)
            case Amendment(severity=severity) if severity is not None:
                return [f"{_when(record.id)} {self._severity(severity)} {record.id[-_ID_SHOWN:]} now {record.title}"]
            case SlowCall():
                return [_slow(record)]
            case Drops():
                return [f"otel-guard: {record.n} {record.kind} records not kept: {record.reason}"]
        return []

    def _error(self, record: ErrorRecord | Repeat) -> list[str]:
        times = f" x{record.n} more" if isinstance(record, Repeat) else ""
        what = " ".join(filter(None, (record.context, record.system, record.operation)))
        lines = [f"{_when(record.id)} {self._severity(record.severity)} {what}: {_headline(record)}{times}"]
        if isinstance(record, ErrorRecord):
            facts = (
                ("at", _place(record.metadata.get("place"))),
                ("route", record.route),
                ("user", record.user_id),
                ("trace", record.trace_id),
                ("id", record.id[-_ID_SHOWN:]),
            )
            lines.append("  " + self._dim(" · ".join(f"{name} {value}" for name, value in facts if value)))
        return lines

    def _severity(self, severity: Severity) -> str:
        return f"\x1b[{_COLOURS[severity]}m{severity:<8}\x1b[0m" if self._is_terminal else f"{severity:<8}"

    def _dim(self, text: str) -> str:
        return f"\x1b[2m{text}\x1b[0m" if self._is_terminal else text


def _when(record_id: str) -> str:
    return datetime.fromtimestamp(created_at_ms(record_id) / 1000, UTC).strftime("%H:%M:%S")


def _headline(record: ErrorRecord | Repeat) -> str:
    first = record.message.partition("\n")[0]
    shown = "".join(char if char.isprintable() else repr(char)[1:-1] for char in first)
    short = shown if len(shown) <= _MESSAGE_LIMIT else f"{shown[: _MESSAGE_LIMIT - 1]}…"
    return f"{record.error_type}: {short}" if short else record.error_type


def _place(place: object) -> str:
    if isinstance(place, dict):
        return ":".join(str(value) for value in place.values())
    return str(place) if place else ""


def _slow(record: SlowCall) -> str:
    what = " ".join((record.query_text or f"{record.system or ''} {record.operation or ''}").split())
    shown = what if len(what) <= _MESSAGE_LIMIT else f"{what[: _MESSAGE_LIMIT - 1]}…"
    if record.type == "n_plus_one":
        return f"{_when(record.id)} n+1      {record.value:.0f} x {shown}"
    return f"{_when(record.id)} slow     {record.type} {record.duration_ms or record.value:.0f} ms: {shown}"
