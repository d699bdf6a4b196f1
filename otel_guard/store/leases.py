"""Leases: who leads, until when."""

from datetime import datetime

from otel_guard.store.ask import Database, ask, run


def take(database: Database, name: str, holder: str, ttl_s: float, now: datetime | None = None) -> bool:
    """Take or renew the lease; False: another holds it."""
    return run(database, "lease_take", {"name": name, "holder": holder, "ttl_s": ttl_s, "now": now}) == 1


def give_back(database: Database, name: str, holder: str) -> None:
    """Let it go, if it is *holder*'s."""
    run(database, "lease_give_back", {"name": name, "holder": holder})


def holder_of(database: Database, name: str) -> str | None:
    """Who holds it now."""
    return next((str(row["holder"]) for row in ask(database, "lease_holder", {"name": name})), None)
