"""Deployments: recorded by a command or seen by the monitor, and what changed after each."""

from datetime import datetime

from otel_guard.store.ask import Database, Row, ask


def record(
    database: Database,
    deployment_id: str,
    *,
    release: str,
    service: str | None,
    environment: str | None,
    actor: str | None = None,
    url: str | None = None,
    now: datetime | None = None,
) -> Row:
    """Write one down; all its columns, `previous` is the release that ran before."""
    values = {
        "id": deployment_id,
        "release": release,
        "service": service,
        "environment": environment,
        "actor": actor,
        "url": url,
        "now": now,
    }
    return ask(database, "deploy_insert", values)[0]


def recent(database: Database, most: int, *, since: datetime | None = None, until: datetime | None = None) -> list[Row]:
    """The newest first, with what changed in the 60 min after each against the 60 min before.

    `errors_before`, `errors_after`; `rate_before`, `rate_after` of requests, None: there were none; `new_groups` were first
    seen in the hour after, `new_titles` are three of them.
    """
    return ask(database, "deploy_recent", {"since": since, "until": until, "most": most})
