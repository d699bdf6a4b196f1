"""What a channel is sent next: folded, in order, grouped, throttled (operations.md, section 4.2)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from msgspec import Struct

from otel_guard.core.incident import Event
from otel_guard.core.record import Severity

QUIET_S: Final = 30.0  # of a channel that groups
MOST: Final = 20
MOST_IN_S: Final = 600.0
IDLE_S: Final = 60.0  # nothing waits
BUSY_S: Final = 1.0  # another courier sends
FIRST_S: Final = 5.0
LONGEST_S: Final = 600.0
_MOST_DOUBLINGS: Final = 10
_HEARD: Final = frozenset({"fired", "raised", "escalated"})


class Waiting(Struct, frozen=True, kw_only=True):
    """A message that was not delivered yet."""

    key: str
    incident_id: str | None  # None: "N held"
    kind: Event
    severity: Severity
    next_attempt_at: datetime
    told: Event | None = None  # what the channel heard last of this incident
    is_in_flight: bool = False


class Traffic(Struct, frozen=True, kw_only=True):
    """How it stands with a channel."""

    groups: bool
    blocked_until: datetime | None = None  # its server said so
    last_sent_at: datetime | None = None
    sent: int = 0  # messages of the last 10 min, those in flight included
    frees_at: datetime | None = None  # when the oldest of them is 10 min old
    is_announced: bool = False  # "N held" went out in the last 10 min


class Planned(Struct, frozen=True, kw_only=True):
    """What is left of an incident's messages: one, told as *event*."""

    key: str
    incident_id: str | None
    event: Event
    severity: Severity
    due_at: datetime


class Decision(Struct, frozen=True, kw_only=True):
    """One message with all of `send`, or how long to wait."""

    send: tuple[Planned, ...] = ()
    superseded: tuple[str, ...] = ()
    held: int = 0  # by the throttle
    announced: str = ""  # say "N held" first, in the name of this message
    wait_s: float = IDLE_S


def decide(rows: Sequence[Waiting], traffic: Traffic, now: datetime, first: str | None = None) -> Decision:
    """Choose from *rows*, oldest first; a critical one of the incident *first* comes before all."""
    if traffic.blocked_until is not None and traffic.blocked_until > now:
        return Decision(wait_s=_until(traffic.blocked_until, now))
    news = [row for row in rows if row.kind == "held" and not row.is_in_flight]
    is_busy = any(row.is_in_flight for row in rows)
    messages, superseded = fold([row for row in rows if row.kind != "held"])
    if traffic.sent >= MOST and messages:
        return _throttled(messages, superseded, news, traffic, now)
    superseded += tuple(row.key for row in news)
    if not messages:
        return Decision(superseded=superseded, wait_s=BUSY_S if is_busy else IDLE_S)
    chosen, wait_s = _chosen(messages, traffic, now, first, is_busy=is_busy)
    return Decision(send=chosen, superseded=superseded, wait_s=wait_s)


def fold(rows: Sequence[Waiting]) -> tuple[list[Planned], tuple[str, ...]]:
    """One message an incident; the keys of those that say nothing more. What is in flight is waited for."""
    of: dict[str, list[Waiting]] = {}
    for row in rows:
        of.setdefault(row.incident_id or row.key, []).append(row)
    idle = [each for each in of.values() if not any(row.is_in_flight for row in each)]
    folded = {each[-1].key: planned for each in idle if (planned := _folded(each)) is not None}
    superseded = tuple(row.key for each in idle for row in each if row.key not in folded)
    return [folded[row.key] for row in rows if row.key in folded], superseded


def backoff_s(failures: int, jitter: float) -> float:
    """After the first failure 5 s, then twice as long each time, up to 10 min; *jitter* is from 0 to 1."""
    longest = FIRST_S * 2.0 ** min(failures, _MOST_DOUBLINGS)
    return float(min(longest * (1 + jitter / 4), LONGEST_S))


def _folded(rows: Sequence[Waiting]) -> Planned | None:
    """The newest; an end is told as such only to whom the beginning was told."""
    last = rows[-1]
    is_heard = last.told in _HEARD
    if is_heard and last.kind == "fired":
        return None  # it ended and came back before anybody heard of the end
    return Planned(
        key=last.key,
        incident_id=last.incident_id,
        event=last.kind if is_heard else "fired",
        severity=last.severity,
        due_at=max(row.next_attempt_at for row in rows),
    )


def _throttled(
    messages: Sequence[Planned], superseded: tuple[str, ...], news: Sequence[Waiting], traffic: Traffic, now: datetime
) -> Decision:
    wait_s = _until(traffic.frees_at, now) if traffic.frees_at else BUSY_S
    held = len(messages)
    if not news:
        announced = "" if traffic.is_announced else messages[-1].key
        return Decision(superseded=superseded, held=held, announced=announced, wait_s=BUSY_S if announced else wait_s)
    one = news[0]
    if one.next_attempt_at > now:
        return Decision(superseded=superseded, held=held, wait_s=_until(one.next_attempt_at, now))
    said = Planned(key=one.key, incident_id=None, event="held", severity=one.severity, due_at=one.next_attempt_at)
    return Decision(send=(said,), superseded=superseded, held=held)


def _chosen(
    messages: Sequence[Planned], traffic: Traffic, now: datetime, first: str | None, *, is_busy: bool
) -> tuple[tuple[Planned, ...], float]:
    """What goes now, in order; a critical message is held by nothing but the one before it."""
    urgent = [message for message in messages if message.severity == "critical" and message.due_at <= now]
    urgent.sort(key=lambda message: message.incident_id != first)
    head = messages[0]
    if urgent and (is_busy or urgent[0].incident_id == first):
        return (urgent[0],), 0.0
    if is_busy:
        return (), BUSY_S
    if head.due_at > now and not urgent:
        return (), min(_until(message.due_at, now) for message in messages if message == head or _is_urgent(message))
    if not traffic.groups or head.severity == "critical":
        return (head,), 0.0
    opens_at = now if traffic.last_sent_at is None else traffic.last_sent_at + timedelta(seconds=QUIET_S)
    if opens_at > now:
        return (urgent[0],) if urgent else (), _until(opens_at, now)
    return tuple(takewhile(lambda message: not _is_urgent(message), messages)), 0.0


def _is_urgent(message: Planned) -> bool:
    return message.severity == "critical"


def _until(at: datetime, now: datetime) -> float:
    return max((at - now).total_seconds(), 0.0)
