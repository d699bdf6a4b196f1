"""Carries messages from the outbox to the channels: at least once, in order, never too many."""

import logging
import random
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from otel_guard.alerts.channels._base import Channel
from otel_guard.alerts.incidents import given_now
from otel_guard.alerts.notices import retold
from otel_guard.core.dispatch import BUSY_S, IDLE_S, Decision, backoff_s, decide
from otel_guard.core.exceptions import StoreUnavailableError
from otel_guard.core.incident import Answer, Notice
from otel_guard.core.redaction import redact
from otel_guard.runtime.clock import Clock
from otel_guard.runtime.suppression import sending
from otel_guard.store import channels, incidents, outbox
from otel_guard.store.ask import Database
from otel_guard.store.channels import ChannelState
from otel_guard.store.outbox import Claim

BUDGET_S: Final = 20.0  # no message is begun later; one takes at most 10 s, a claim holds for 60 s
LEAST_S: Final = 1.0
DETAIL: Final = 300
TAKEN: Final = frozenset({"ok", "unconfirmed"})
logger: Final = logging.getLogger("otel_guard")
_ADDRESS: Final = re.compile(r"\S*://\S*")
_DEAD: Final = Answer(kind="dead", detail="the channel is dead: mend it, then run `otel-guard test-alert`")


class Sent(Struct, frozen=True):
    """Messages that a channel took, that it did not, and how long nothing will be due."""

    sent: int
    failed: int
    wait_s: float


class _Message(Struct, frozen=True, kw_only=True):
    claimed: Claim
    notices: tuple[Notice, ...]
    failures: int  # of the channel, before


class Courier:
    """Several may work at once: one message a channel is in flight, what one left unfinished is taken up after 60 s."""

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[Database]],
        channels: Mapping[str, Channel],
        clock: Clock,
        *,
        holder: str,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """*holder*: who it is, for the log; *jitter* gives numbers from 0 to 1."""
        self._transaction = transaction
        self._channels = channels
        self._clock = clock
        self._holder = holder
        self._jitter = jitter
        self._dead: set[str] = set()  # as seen by this process: a new one tries again

    def deliver(self, *, incident_id: str | None = None, now: datetime | None = None) -> Sent:
        """Send what is due (where there is something of *incident_id*), up to 20 s.

        Raises:
            StoreUnavailableError, SchemaError, RecordRefusedError: of Postgres; never for a channel.
        """
        going = self._begin(incident_id, now)
        until = self._clock.monotonic() + BUDGET_S
        sent = failed = 0
        wait_s = IDLE_S
        while going:
            for name in tuple(going):
                outcome = self._step(name, incident_id, now)
                if outcome == "sent":
                    sent += 1
                else:
                    going.remove(name)
                    failed += outcome == "failed"
                    wait_s = min(wait_s, outcome if isinstance(outcome, float) else LEAST_S)
                if self._clock.monotonic() >= until:
                    return Sent(sent, failed, 0.0)
        return Sent(sent, failed, wait_s)

    def _begin(self, incident_id: str | None, now: datetime | None) -> list[str]:
        """Channels for which something waits."""
        with self._transaction() as database:
            waiting = outbox.channels_waiting(database, incident_id)
            known = [name for name in waiting if name in self._channels]
            if known:
                channels.ensure(database, known)
            if len(known) < len(waiting):
                outbox.bury_orphans(database, self._channels, self._now(now))
        return known

    def _step(self, name: str, incident_id: str | None, now: datetime | None) -> str | float:
        """One message to *name*: sent, failed, or how long to wait."""
        with self._transaction() as database:
            taken = self._take(database, name, incident_id, now)
        if not isinstance(taken, _Message):
            return taken
        answer = self._send(self._channels[name], taken)
        try:
            self._settle(name, taken, answer, now)
        except StoreUnavailableError:  # else it would be sent twice
            self._settle(name, taken, answer, now)
        return "sent" if answer.kind in TAKEN else "failed"

    def _take(self, database: Database, name: str, incident_id: str | None, now: datetime | None) -> _Message | float:
        """Claim the next message; how long to wait if there is none."""
        state = channels.lock(database, name, self._now(now))
        if state is None:
            return BUSY_S
        if state.is_dead and name in self._dead:
            outbox.bury(database, name, _DEAD)
            return IDLE_S
        decision = self._decision(database, name, state, incident_id)
        if decision is not None and decision.announced:
            outbox.add_held(database, decision.announced, decision.held, state.now)
            decision = self._decision(database, name, state, incident_id)
        if decision is None or not decision.send:
            return IDLE_S if decision is None else decision.wait_s
        claimed = outbox.claim(database, [each.key for each in decision.send], state.now)
        if claimed is None:
            return BUSY_S
        events = {each.key: each.event for each in decision.send}
        notices = tuple(
            retold(notice, events[key], decision.held)
            for key, notice in zip(claimed.keys, claimed.notices, strict=True)
        )
        return _Message(claimed=claimed, notices=notices, failures=state.failures)

    def _decision(self, database: Database, name: str, state: ChannelState, incident_id: str | None) -> Decision | None:
        """What comes next for *name*; None: nothing of *incident_id* is left."""
        rows = outbox.waiting(database, name, state.now)
        if incident_id is not None and all(row.incident_id != incident_id or row.is_in_flight for row in rows):
            return None
        traffic = outbox.traffic(
            database, name, groups=self._channels[name].groups, blocked_until=state.blocked_until, now=state.now
        )
        decision = decide(rows, traffic, state.now, incident_id)
        outbox.supersede(database, decision.superseded, state.now)
        channels.write_held(database, name, decision.held)
        return decision

    def _send(self, channel: Channel, message: _Message) -> Answer:
        try:
            with sending():
                answer = channel.send(message.notices, message.claimed.keys[0])
        except Exception as error:
            answer = Answer(kind="retry", detail=f"not sent ({type(error).__name__})")
        detail, _ = redact(_ADDRESS.sub("…", answer.detail)[:DETAIL])
        return replace(answer, detail=detail)

    def _settle(self, name: str, message: _Message, answer: Answer, now: datetime | None) -> None:
        """Write down what the channel said: channel, incidents, outbox, in the order in which all lock them."""
        at = self._now(now)
        with self._transaction() as database:
            if answer.kind in TAKEN:
                ids = sorted({each.incident.id for each in message.notices if each.event != "held"})
                channels.write_worked(database, name, at)
                incidents.write_delivered(database, ids, at)
                outbox.settle_sent(database, message.claimed, answer, at)
                return
            is_dead = answer.kind == "dead"
            asked_s = None if answer.after_s is None else max(answer.after_s, LEAST_S)
            channels.write_failed(database, name, after_s=asked_s, is_dead=is_dead, now=at)
            if is_dead:
                outbox.bury(database, name, answer)
            else:
                wait_s = backoff_s(message.failures, self._jitter()) if asked_s is None else asked_s
                outbox.settle_failed(database, name, message.claimed, answer, wait_s, at)
        if is_dead:
            self._dead.add(name)
            logger.warning("%s: channel %s is dead: %s; %s", self._holder, name, answer.detail, _DEAD.detail)

    def _now(self, now: datetime | None) -> datetime | None:
        return now or given_now(self._clock)
