"""One cycle for cron: judge, deliver what is due, tell directly if Postgres is away."""

from collections.abc import Callable
from contextlib import closing, suppress
from typing import Final

from msgspec import Struct

from otel_guard.core.exceptions import OtelGuardError, SchemaError, StoreUnavailableError
from otel_guard.monitor.building import Built
from otel_guard.monitor.cycle import Done
from otel_guard.monitor.lease import RENEW_S, Lease
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.runtime.worker import Worker

BUDGET_S: Final = 50.0
FOR_MESSAGES_S: Final = 12.0  # of the budget: a channel may take 10 s
AGAIN_S: Final = 5.0  # a restart is no news
GROUPED_S: Final = 31.0  # a channel that groups holds messages for 30 s: these are still of this run


class Once(Struct, frozen=True, kw_only=True):
    """What the run did; *done* None: another monitor, *leader*, leads."""

    done: Done | None
    sent: int
    failed: int
    leader: str


def run_once(built: Built, say: Callable[[str], None]) -> Once:
    """Do it within 50 s.

    Raises:
        StoreUnavailableError, SchemaError: Postgres does not serve, even after 5 s; the channels know.
    """
    until = SYSTEM.monotonic() + BUDGET_S
    with closing(built):
        try:
            return _run(built, until)
        except StoreUnavailableError:
            SYSTEM.sleep(AGAIN_S)
        except SchemaError as error:
            _tell(built, error, say)
            raise
        try:
            return _run(built, until)
        except (StoreUnavailableError, SchemaError) as error:
            _tell(built, error, say)
            raise


def _tell(built: Built, error: OtelGuardError, say: Callable[[str], None]) -> None:
    if built.away.failed(built.direct, error, patience_s=0.0):
        say("the channels were told directly")


def _run(built: Built, until: float) -> Once:
    lease = built.lease
    if not lease.take():
        return Once(done=None, sent=0, failed=0, leader=lease.leader() or "")
    keeper = Worker("lease", lambda: _renew(lease), failsafe=Failsafe())
    keeper.start()
    try:
        built.served()
        done = built.cycle(None, lambda: SYSTEM.monotonic() < until - FOR_MESSAGES_S).run()
        sent, failed = _delivered(built, until)
    finally:
        keeper.stop(RENEW_S)
        with suppress(OtelGuardError):  # it ends by itself in 30 s
            lease.give_back()
    built.deadman.ping(built.settings.deadman_url)
    return Once(done=done, sent=sent, failed=failed, leader=lease.holder)


def _renew(lease: Lease) -> float:
    with suppress(OtelGuardError):  # the cycle finds out
        lease.take()
    return RENEW_S


def _delivered(built: Built, until: float) -> tuple[int, int]:
    sent = failed = 0
    while True:
        round_ = built.courier.deliver()
        sent, failed = sent + round_.sent, failed + round_.failed
        if round_.wait_s > GROUPED_S or SYSTEM.monotonic() + round_.wait_s > until:
            return sent, failed
        SYSTEM.sleep(max(round_.wait_s, 0.05))
