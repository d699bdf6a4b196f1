"""What an event of a payment provider says of itself: type, id, and when it was made."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

UNKNOWN: Final = "unknown"
MAX_CHARACTERS: Final = 100


class WebhookEvent(Struct, frozen=True, kw_only=True):
    """One event; *created* in Unix seconds."""

    type: str
    id: str | None
    created: float | None


def read(event: object, *, type_: object = None, id_: object = None, created: object = None) -> WebhookEvent:
    """What is given first, then the attributes or keys of *event*; never raises on foreign values."""
    return WebhookEvent(
        type=_text(type_) or _text(_of(event, "type")) or UNKNOWN,
        id=_text(id_) or _text(_of(event, "id")),
        created=seconds(created if created is not None else _of(event, "created")),
    )


def seconds(created: object) -> float | None:
    """Unix seconds of an int, a datetime or an ISO text (Stripe's thin events); None of anything else."""
    if isinstance(created, bool):
        return None
    if isinstance(created, int | float):
        return float(created) if 0 < created < 1e11 else None  # noqa: PLR2004 - later than the year 5000: no seconds
    if isinstance(created, str):
        try:
            created = datetime.fromisoformat(created)
        except ValueError:
            return None
    if isinstance(created, datetime):
        return (created if created.tzinfo else created.replace(tzinfo=UTC)).timestamp()
    return None


def _of(event: object, name: str) -> object:
    try:
        return event.get(name) if isinstance(event, Mapping) else getattr(event, name, None)
    except Exception:  # a property of somebody's event
        return None


def _text(value: object) -> str | None:
    return value[:MAX_CHARACTERS] if isinstance(value, str) and value else None
