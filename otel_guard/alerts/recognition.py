"""Which records of a batch alert at once, as openings: one a fingerprint."""

from datetime import UTC, datetime
from typing import Final

from msgspec.structs import replace

from otel_guard.core import semconv
from otel_guard.core.delivery import Batch
from otel_guard.core.incident import Opening
from otel_guard.core.record import Amendment, Context, ErrorRecord, Head, Record, Repeat, Severity, created_at_ms
from otel_guard.core.rule import Finding, dedup_key
from otel_guard.core.severity import alerts_at_once, higher

RULE: Final = "critical_error"
OLDEST_MS: Final = 3_600_000
MOST_AMENDED: Final = 10_000


class Recognition:
    """Remembers which records an amendment made critical: each counts once."""

    def __init__(self) -> None:
        self.late = 0  # failures that came more than an hour after they happened
        self._amended: dict[str, None] = {}

    def openings(self, batch: Batch, now_ms: int) -> tuple[Opening, ...]:
        """Those of *batch*, their occurrences summed by fingerprint."""
        found: dict[str, Opening] = {}
        for record in batch.records:
            if not isinstance(record, ErrorRecord | Repeat | Amendment) or not self._is_news(record):
                continue
            n = record.n if isinstance(record, Repeat) else 1
            if now_ms - created_at_ms(record.id) > OLDEST_MS:
                self.late += n
                continue
            opening = _opening(record, batch.head, n)
            known = found.get(opening.dedup_key)
            found[opening.dedup_key] = opening if known is None else merged(known, opening)
        return tuple(found.values())

    def _is_news(self, record: ErrorRecord | Repeat | Amendment) -> bool:
        if not isinstance(record, Amendment):
            return alerts_at_once(record.severity, record.context)
        if record.id in self._amended or alerts_at_once(record.of_severity, record.of_context):
            return False
        if not alerts_at_once(*_became(record)):
            return False
        if len(self._amended) >= MOST_AMENDED:
            del self._amended[next(iter(self._amended))]
        self._amended[record.id] = None
        return True


def merged(one: Opening, other: Opening) -> Opening:
    """Two openings of a key as one: the first words, the earlier time, all occurrences."""
    times = [at for at in (one.impact_started_at, other.impact_started_at) if at is not None]
    return replace(
        one,
        occurrences=one.occurrences + other.occurrences,
        impact_started_at=min(times, default=None),
        top=one.top or other.top,
    )


def _became(amendment: Amendment) -> tuple[Severity, Context]:
    """Severity and context after it: what the application gave replaces, else severity only rises."""
    given = amendment.severity
    if given is None:
        severity = amendment.of_severity
    else:
        severity = given if amendment.final else higher(amendment.of_severity, given)
    return severity, amendment.context or amendment.of_context


def _opening(record: ErrorRecord | Repeat | Amendment, head: Head, n: int) -> Opening:
    error_type = record.error_type or record.title.partition(":")[0]
    context = record.context or record.of_context if isinstance(record, Amendment) else record.context
    found = Finding(
        rule=RULE,
        state="bad",
        service=head.service,
        environment=head.environment,
        dimension=record.fingerprint,
    )
    return Opening(
        type=RULE,
        rule=RULE,
        dedup_key=dedup_key(found),
        severity="critical",
        message=record.title,
        context=context,
        service=head.service,
        environment=head.environment,
        release=head.release,
        labels={"fingerprint": record.fingerprint, "error_type": error_type},
        top=_top(record, error_type),
        occurrences=n,
        impact_started_at=datetime.fromtimestamp(created_at_ms(record.id) / 1000, UTC),
    )


def _top(record: Record, error_type: str) -> tuple[str, ...]:
    """`OperationalError` shop/orders.py:88 in pay · POST /checkout."""
    if not isinstance(record, ErrorRecord):
        return ()
    what = " · ".join(filter(None, (_place(record.metadata.get("place")), record.operation, record.route)))
    return (f"`{error_type}` {what}".rstrip(),)


def _place(place: object) -> str:
    if not isinstance(place, dict) or semconv.CODE_FILE_PATH not in place:
        return ""
    function = place.get(semconv.CODE_FUNCTION_NAME)
    return f"{place[semconv.CODE_FILE_PATH]}:{place.get(semconv.CODE_LINE_NUMBER)}" + (
        f" in {function}" if function else ""
    )
