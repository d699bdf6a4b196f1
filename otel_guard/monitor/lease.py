"""Who leads among several monitors."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from otel_guard.store import leases
from otel_guard.store.ask import Database

NAME: Final = "monitor"
TTL_S: Final = 30.0
RENEW_S: Final = 10.0


class Lease:
    """The row `monitor`; who dies is followed within its 30 s, who ends gives it back."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Database]], holder: str) -> None:
        self.holder = holder
        self._transaction = transaction

    def take(self) -> bool:
        """Take or renew it; False: another leads."""
        with self._transaction() as database:
            return leases.take(database, NAME, self.holder, TTL_S)

    def leader(self) -> str | None:
        """Who leads now."""
        with self._transaction() as database:
            return leases.holder_of(database, NAME)

    def give_back(self) -> None:
        """Let another lead at once."""
        with self._transaction() as database:
            leases.give_back(database, NAME, self.holder)
