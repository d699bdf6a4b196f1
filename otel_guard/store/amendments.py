"""What several amendments of one row come to."""

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from msgspec import Struct

from otel_guard.core.record import Amendment, Context, Metadata, Severity
from otel_guard.core.severity import higher
from otel_guard.store.rows import Columns, columns, json_text

CHANGE_COLUMNS: Final = (
    "id", "severity", "is_severity_final", "context", "handled", "user_id", "route", "sentry_event_id", "error_type", "message",
    "stack_trace", "metadata",
)  # fmt: skip
GROUP_COLUMNS: Final = ("fingerprint", "severity", "is_severity_final", "context")
T = TypeVar("T")


class Change(Struct, frozen=True, kw_only=True):
    """One or more amendments of the row *id*, merged."""

    id: str
    fingerprint: str
    severity: Severity | None
    is_severity_final: bool
    context: Context | None  # only a final one
    handled: bool | None
    user_id: str | None
    route: str | None
    sentry_event_id: str | None
    error_type: str | None
    message: str | None
    stack_trace: str | None
    metadata: Metadata | None


def change_of(amendment: Amendment) -> Change:
    """The change that *amendment* alone asks for; a context that was only derived asks for none."""
    return Change(
        id=amendment.id,
        fingerprint=amendment.fingerprint,
        severity=amendment.severity,
        is_severity_final=amendment.final and amendment.severity is not None,
        context=amendment.context if amendment.final else None,
        handled=amendment.handled,
        user_id=amendment.user_id,
        route=amendment.route,
        sentry_event_id=amendment.sentry_event_id,
        error_type=amendment.error_type,
        message=amendment.message,
        stack_trace=amendment.stack_trace,
        metadata=amendment.metadata,
    )


def merged(first: Change, later: Change) -> Change:
    """Both changes as one, with the result of one after the other (reliability.md, section 4.1)."""
    severity, is_final = _severity(first, later)
    typed = first if first.stack_trace is not None else later
    return Change(
        id=first.id,
        fingerprint=first.fingerprint,
        severity=severity,
        is_severity_final=is_final,
        context=later.context or first.context,
        handled=False if later.handled is False else _filled(first.handled, later.handled),
        user_id=_filled(first.user_id, later.user_id),
        route=_filled(first.route, later.route),
        sentry_event_id=_filled(first.sentry_event_id, later.sentry_event_id),
        error_type=_filled(typed.error_type, first.error_type),
        message=_filled(typed.message, first.message),
        stack_trace=typed.stack_trace,
        metadata=first.metadata if later.metadata is None else {**(first.metadata or {}), **later.metadata},
    )


def by_key(changes: Iterable[Change], key: Callable[[Change], str]) -> dict[str, Change]:
    """Merge, in their order, the *changes* that share a *key*."""
    merged_by_key: dict[str, Change] = {}
    for change in changes:
        known = merged_by_key.get(key(change))
        merged_by_key[key(change)] = change if known is None else merged(known, change)
    return merged_by_key


def change_columns(changes: Iterable[Change]) -> Columns:
    """Columns for `amend_errors`, sorted by id."""
    return columns(CHANGE_COLUMNS, [_row(change) for change in sorted(changes, key=lambda change: change.id)])


def group_columns(changes: Iterable[Change]) -> Columns:
    """Columns for `amend_groups`: only of changes to severity or context."""
    telling = (change for change in changes if change.severity is not None or change.context is not None)
    groups = by_key(telling, lambda change: change.fingerprint).values()
    return columns(GROUP_COLUMNS, [(c.fingerprint, c.severity, c.is_severity_final, c.context) for c in groups])


def _severity(first: Change, later: Change) -> tuple[Severity | None, bool]:
    if later.severity is None or (first.is_severity_final and not later.is_severity_final):
        return first.severity, first.is_severity_final
    if later.is_severity_final or first.severity is None:
        return later.severity, later.is_severity_final
    return higher(first.severity, later.severity), False


def _filled(value: T | None, other: T | None) -> T | None:
    return other if value is None else value


def _row(change: Change) -> tuple[object, ...]:
    metadata = None if change.metadata is None else json_text(change.metadata)
    return (
        change.id, change.severity, change.is_severity_final, change.context, change.handled, change.user_id, change.route,
        change.sentry_event_id, change.error_type, change.message, change.stack_trace, metadata,
    )  # fmt: skip
