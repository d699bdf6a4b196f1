"""The page behind a signed link: GET shows what it is about and a button, POST acknowledges; no login."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Final, Protocol

from otel_guard.alerts.links import ACKNOWLEDGE, check, is_key
from otel_guard.core.incident import Incident
from otel_guard.dashboard.rendering import Page
from otel_guard.runtime.clock import Clock
from otel_guard.runtime.text import safe_text
from otel_guard.store import incidents as store
from otel_guard.store.ask import Database

Transaction = Callable[[], AbstractContextManager[Database]]
UNNAMED: Final = "link"  # acknowledged by whoever has it
NAME_LIMIT: Final = 60
QUERIES: Final = 3
_DIGITS: Final = 15


class Acknowledges(Protocol):
    """What is asked of the incidents."""

    def acknowledge(self, database: Database, incident_id: str, by: str) -> bool:
        """Somebody has it."""
        ...


class AcknowledgePage:
    """Nothing is read before the signature is ours."""

    def __init__(self, transaction: Transaction, incidents: Acknowledges, secret_key: str | None, clock: Clock) -> None:
        self._transaction = transaction
        self._incidents = incidents
        self._secret_key = secret_key
        self._clock = clock

    def show(self, incident_id: str, query: Mapping[str, str]) -> Page:
        """What it is about, and the button while it fires."""
        if (refused := self._refused(incident_id, query)) is not None:
            return refused
        with self._transaction() as database:
            found = store.find(database, incident_id)
        return _page(found[0]) if found else _gone(incident_id)

    def act(self, incident_id: str, query: Mapping[str, str], name: str) -> Page | None:
        """Acknowledge; None: look at the page again, it says by whom."""
        if (refused := self._refused(incident_id, query)) is not None:
            return refused
        by = safe_text(" ".join(name.split()), NAME_LIMIT) or UNNAMED
        with self._transaction() as database:
            if not store.find(database, incident_id):
                return _gone(incident_id)
            self._incidents.acknowledge(database, incident_id, by)
        return None

    def _refused(self, incident_id: str, query: Mapping[str, str]) -> Page | None:
        expires, signature, now_ms = query.get("expires", ""), query.get("signature", ""), self._clock.now_ms()
        is_number = expires.isascii() and expires.isdigit() and len(expires) <= _DIGITS
        key, expires_ms = self._secret_key, int(expires) if is_number else 0
        if key is not None and is_key(key) and check(key, incident_id, ACKNOWLEDGE, expires_ms, signature, now_ms):
            return None
        if is_number and 0 < expires_ms <= now_ms:
            at = datetime.fromtimestamp(min(expires_ms, now_ms) / 1000, UTC)
            return _problem(403, "This link has expired", "Links hold for 24 hours.", incident_id, at)
        why = "It may have been cut off on its way, or the signing key has changed since."
        return _problem(403, "This link is not valid", why, incident_id)


def _page(incident: Incident) -> Page:
    return Page(
        template="acknowledge.html",
        values={
            "incident": incident,
            "short": incident.id[-6:],
            "queries": incident.queries[:QUERIES],
            "unnamed": UNNAMED,
            "name_limit": NAME_LIMIT,
        },
    )


def _gone(incident_id: str) -> Page:
    return _problem(404, "There is no such incident", "It was deleted, or was never sent.", incident_id)


def _problem(status: int, title: str, why: str, incident_id: str, at: datetime | None = None) -> Page:
    """In a terminal it goes on: an operator's word needs no link."""
    command = "otel-guard alerts --all" if status != 403 else f"otel-guard ack {incident_id[-6:]}"  # noqa: PLR2004
    values = {"title": title, "why": why, "command": command, "at": at}
    return Page(template="problem.html", values=values, status=status)
