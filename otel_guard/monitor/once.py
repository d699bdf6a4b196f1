"""One cycle for cron: judge, deliver what is due, tell directly if Postgres is away."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from otel_guard.core.exceptions import StoreUnavailableError
from otel_guard.monitor.away import Away
from otel_guard.monitor.building import Built
from otel_guard.monitor.cycle import Done
from otel_guard.monitor.deadman import ping
from otel_guard.monitor.lease import Lease
from otel_guard.runtime.clock import SYSTEM

BUDGET_S: Final = 50.0
AGAIN_S: Final = 5.0
SHORT_S: Final = 2.0  # a message that is due so soon is waited for


class Once(Struct, frozen=True, kw_only=True):
    """What the run did; *done* None: another monitor, *leader*, leads."""

    done: Done | None
    sent: int
    failed: int
    leader: str


def run_once(built: Built, say: Callable[[str], None]) -> Once:
    """Do it within 50 s; raises StoreUnavailableError once the channels know that Postgres does not answer."""
    until = SYSTEM.monotonic() + BUDGET_S
    away = Away(built.lane.where, built.who.environment, SYSTEM)
    lease = Lease(built.lane.transaction, f"{built.instance}:once")
    try:
        return _run(built, lease, away, until, say)
    except StoreUnavailableError as error:
        SYSTEM.sleep(AGAIN_S)
        try:
            return _run(built, lease, away, until, say)
        except StoreUnavailableError:
            if away.failed(built.direct, str(error), patience_s=0):
                say("the channels were told directly that Postgres does not answer")
            raise
    finally:
        built.close()


def _run(built: Built, lease: Lease, away: Away, until: float, say: Callable[[str], None]) -> Once:
    if not lease.take():
        return Once(done=None, sent=0, failed=0, leader=lease.leader() or "")
    try:
        with built.lane.transaction() as database:
            untold = away.answered(database, built.incidents(), built.direct)
        away.committed(built.direct, built.courier, untold)
        done = built.cycle(None).run()
        sent, failed = _delivered(built, until)
    finally:
        lease.give_back()
    ping(built.settings.deadman_url, say)
    return Once(done=done, sent=sent, failed=failed, leader=lease.holder)


def _delivered(built: Built, until: float) -> tuple[int, int]:
    sent = failed = 0
    while SYSTEM.monotonic() < until:
        round_ = built.courier.deliver()
        sent, failed = sent + round_.sent, failed + round_.failed
        if not round_.sent and round_.wait_s > SHORT_S:
            break
        SYSTEM.sleep(min(max(round_.wait_s, 0.05), SHORT_S))
    return sent, failed
