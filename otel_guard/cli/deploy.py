"""`otel-guard deploy`: record a deployment."""

import os
from contextlib import closing
from typing import Annotated, Final

import typer

from otel_guard.cli._base import USAGE, Problem, console, emit, needed_dsn, plain, settings
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.ids import uuid7
from otel_guard.runtime.suppression import sending
from otel_guard.runtime.text import safe_text
from otel_guard.settings.identity import RELEASE_VARIABLES, identity
from otel_guard.store.deployments import record
from otel_guard.store.lane import Lane

LIMIT: Final = 200
URL_LIMIT: Final = 2000
SHORT: Final = 7
UNNAMED: Final = "unknown_service"  # a pipeline has no OTEL_SERVICE_NAME: the deployment counts for all services
_SHA: Final = 40


def command(
    *,
    release: Annotated[
        str | None, typer.Option(metavar="SHA", help="What runs now; else $SENTRY_RELEASE, $GIT_SHA …")
    ] = None,
    service: Annotated[str | None, typer.Option(help="Else $OTEL_SERVICE_NAME, else all.")] = None,
    environment: Annotated[str | None, typer.Option(help="Else $OTEL_GUARD_ENVIRONMENT, production.")] = None,
    url: Annotated[str | None, typer.Option(help="Of the pipeline, or of what changed.")] = None,
    by: Annotated[str | None, typer.Option(help="Who deploys; else $USER.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Record it, as the last step of your pipeline: alerts of the next hour say "6 min after deploy a1b2c3d"."""
    given = settings()
    who = identity(given, os.environ)
    chosen = safe_text((release or who.release or "").strip(), LIMIT)
    if not chosen:
        known = ", ".join(RELEASE_VARIABLES)
        raise Problem("no release is known", f"write --release SHA, or set one of {known}", USAGE)
    named = service or (who.service if who.service != UNNAMED else None)
    with closing(Lane(needed_dsn(given), SYSTEM)) as lane, sending(), lane.transaction() as database:
        row = record(
            database,
            uuid7(SYSTEM.now_ms()),
            release=chosen,
            service=safe_text(named, LIMIT) if named else None,
            environment=safe_text(environment or who.environment, LIMIT),
            actor=safe_text(by or os.environ.get("USER") or "cli", LIMIT),
            url=safe_text(url, URL_LIMIT) if url else None,
        )
    if json:
        emit("deploy", {"deployment": row})
        return
    before = f" after {short(row['previous'])}" if row["previous"] else ""
    console().print(
        plain(f"{row['service'] or 'all services'} {short(row['release'])} in {row['environment']}{before}"),
        soft_wrap=True,
    )


def short(release: str) -> str:
    """The first characters of a whole SHA; another name as it is."""
    is_sha = len(release) == _SHA and set(release.lower()) <= set("0123456789abcdef")
    return release[:SHORT] if is_sha else release
