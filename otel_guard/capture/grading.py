"""Context, severity and whether Sentry hears of it: the [[classify]] rows first, then the table."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from otel_guard.capture.seen import Seen
from otel_guard.core import semconv
from otel_guard.core.error_class import error_class
from otel_guard.core.record import Context, Severity
from otel_guard.core.severity import QUIET_CLASSES, derived, higher, valid_severity
from otel_guard.settings.tree import ClassifyRow

_FACTS: Final = 60  # attributes kept of a span
_ELSEWHERE: Final = frozenset(
    {
        semconv.EXCEPTION_MESSAGE,
        semconv.EXCEPTION_STACKTRACE,
        semconv.EXCEPTION_TYPE,
        semconv.HTTP_TARGET,
        semconv.GUARD_CONTEXT,
        semconv.GUARD_SYSTEM,
        semconv.GUARD_OUTCOME,
        semconv.GUARD_SEVERITY,
    }
)


class Grade(Struct, frozen=True, kw_only=True):
    """What a failure is and how bad."""

    context: Context
    severity: Severity
    error_class: str | None
    is_ignored: bool
    is_explicit: bool
    is_reportable: bool


def grade(seen: Seen, error_type: str, message: str, rows: Iterable[ClassifyRow]) -> Grade:
    """Decide; what the application said replaces, a floor only raises."""
    row = next((row for row in rows if _fits(row, seen, message)), None)
    context = seen.context or (row.set_context if row and row.set_context else seen.kind.context)
    found = seen.error_class or error_class(seen.kind.context, seen.attributes, seen.error_type or error_type)
    said = seen.severity or valid_severity(seen.attributes.get(semconv.GUARD_SEVERITY))
    chosen = said or (row.severity if row and row.severity and row.severity != "ignore" else None)
    severity = chosen or ("low" if seen.is_warning else derived(context, found, seen.error_type or error_type))
    if chosen is None and seen.floor is not None:
        severity = higher(severity, seen.floor)
    is_quiet = seen.is_warning or (found in QUIET_CLASSES and not seen.is_unhandled and seen.way != "capture")
    return Grade(
        context=context,
        severity=severity,
        error_class=found,
        is_ignored=row is not None and row.severity == "ignore",
        is_explicit=said is not None or seen.context is not None,
        is_reportable=not is_quiet,
    )


def risen(seen: Seen, now: Severity) -> Severity | None:
    """The severity after one more sighting, None if it stays: a derived one only rises."""
    candidate = now
    if seen.floor is not None:
        candidate = higher(candidate, seen.floor)
    if seen.way == "span" and seen.kind.context not in {"api", "other"}:
        kind = seen.error_class or error_class(seen.kind.context, seen.attributes, seen.error_type)
        candidate = higher(candidate, derived(seen.kind.context, kind, seen.error_type))
    return candidate if candidate != now else None


def facts(attributes: Mapping[str, object]) -> dict[str, object]:
    """The span's attributes that go into `metadata.attributes`."""
    kept = {key: value for key, value in attributes.items() if key not in _ELSEWHERE and value is not None}
    return dict(list(kept.items())[:_FACTS])


def _fits(row: ClassifyRow, seen: Seen, message: str) -> bool:
    return (
        (row.exception is None or (seen.exc is not None and _is_a(seen.exc, row.exception)))
        and (row.context is None or row.context == seen.kind.context)
        and (row.system is None or row.system == seen.kind.system)
        and (row.route is None or row.route == seen.route)
        and (row.message_starts_with is None or message.startswith(row.message_starts_with))
    )


def _is_a(exc: BaseException, dotted: str) -> bool:
    return any(dotted in _names(kind) for kind in type(exc).__mro__)


def _names(kind: type) -> tuple[str, ...]:
    """Where a class lives and where people import it from: `stripe._error.CardError` is `stripe.CardError`."""
    module, name = kind.__module__, kind.__qualname__
    return (name,) if module == "builtins" else (f"{module}.{name}", f"{module.partition('.')[0]}.{name}")
