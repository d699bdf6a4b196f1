"""Messages on their way to the channels: a row each, at least once."""

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from otel_guard.core.dispatch import Traffic, Waiting
from otel_guard.core.incident import Answer, Notice
from otel_guard.store.ask import Database, ask, run
from otel_guard.store.rows import json_text


class Claim(Struct, frozen=True):
    """Rows that are ours until *locked_until*."""

    keys: tuple[str, ...]
    notices: tuple[Notice, ...]
    locked_until: datetime


def add(database: Database, notice: Notice, seq: int, channels: Sequence[str]) -> int:
    """Put *notice* on its way to *channels*; how many rows."""
    values = {
        "key": f"{notice.incident.id}:{notice.event}:{seq}",
        "incident_id": notice.incident.id,
        "kind": notice.event,
        "payload": json_text(notice),
        "now": notice.at,
        "channels": list(channels),
    }
    return run(database, "outbox_add", values) if channels else 0


def add_held(database: Database, key: str, held: int, now: datetime) -> bool:
    """Put "N held" on its way to the channel of the message *key*; False: it is already."""
    return run(database, "outbox_hold", {"key": key, "held": held, "now": now}) > 0


def channels_waiting(database: Database, incident_id: str | None = None) -> list[str]:
    """Channels with messages (of one incident) not delivered, those that work first."""
    return [row["channel"] for row in ask(database, "outbox_channels", {"incident_id": incident_id})]


def waiting(database: Database, channel: str, now: datetime | None = None) -> list[Waiting]:
    """What *channel* is still to be told, oldest first, without what is silenced; at most 200."""
    rows = ask(database, "outbox_waiting", {"channel": channel, "now": now})
    return [
        Waiting(
            key=row["key"],
            incident_id=row["incident_id"],
            kind=row["kind"],
            severity=row["payload"]["incident"]["severity"],
            next_attempt_at=row["next_attempt_at"],
            told=row["told"],
            is_in_flight=row["is_in_flight"],
        )
        for row in rows
    ]


def traffic(
    database: Database, channel: str, *, groups: bool, blocked_until: datetime | None, now: datetime | None = None
) -> Traffic:
    """What *channel* was sent in the last 10 min."""
    row = ask(database, "outbox_traffic", {"channel": channel, "now": now})[0]
    return Traffic(groups=groups, blocked_until=blocked_until, **row)


def claim(database: Database, keys: Sequence[str], now: datetime | None = None) -> Claim | None:
    """Take *keys* for a minute, those that nobody else has."""
    values = {"keys": list(keys), "first": keys[0], "now": now}
    found = {row["key"]: row for row in ask(database, "outbox_claim", values)}
    ours = tuple(key for key in keys if key in found)
    if not ours:
        return None
    notices = tuple(msgspec.convert(found[key]["payload"], Notice) for key in ours)
    return Claim(ours, notices, found[ours[0]]["locked_until"])


def settle_sent(database: Database, claimed: Claim, answer: Answer, now: datetime | None = None) -> None:
    """Note that they were delivered."""
    run(database, "outbox_sent", {"keys": list(claimed.keys), "status": answer.status, "now": now})


def settle_failed(
    database: Database, channel: str, claimed: Claim, answer: Answer, wait_s: float, now: datetime | None = None
) -> None:
    """Give them back, dead after 24 h; nothing of *channel* is tried before *wait_s*."""
    values = {
        "keys": list(claimed.keys),
        "locked_until": claimed.locked_until,
        "status": answer.status,
        "error": answer.detail,
        "now": now,
    }
    run(database, "outbox_failed", values)
    run(database, "outbox_postpone", {"channel": channel, "wait_s": wait_s, "now": now})


def bury(database: Database, channel: str, answer: Answer) -> None:
    """Nothing more goes to *channel*."""
    run(database, "outbox_bury", {"channel": channel, "status": answer.status, "error": answer.detail})


def bury_orphans(database: Database, known: Collection[str], now: datetime | None = None) -> int:
    """Give up what has waited for a day for a channel that is not *known*."""
    return run(database, "outbox_orphans", {"known": list(known), "now": now})


def supersede(database: Database, keys: Sequence[str], now: datetime | None = None) -> None:
    """These say nothing that a later one does not say."""
    if keys:
        run(database, "outbox_supersede", {"keys": list(keys), "now": now})


def drop(database: Database, ids: Sequence[str], kind: str) -> None:
    """Supersede what waits of these incidents, of one kind."""
    run(database, "outbox_drop", {"ids": list(ids), "kind": kind})


def unheard(database: Database, ids: Sequence[str]) -> list[str]:
    """Those of the incidents of which nobody has heard yet, though messages wait."""
    return [row["id"] for row in ask(database, "outbox_unheard", {"ids": list(ids)})] if ids else []


def told_channels(database: Database, incident_id: str) -> list[str]:
    """Channels that heard, or are about to hear, that it fires."""
    return [row["channel"] for row in ask(database, "outbox_told", {"incident_id": incident_id})]
