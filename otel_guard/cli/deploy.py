"""`otel-guard deploy --release SHA`: record a deployment; alerts and reports say what came after it."""

import os
from typing import Annotated, Final

import typer

from otel_guard.cli._acting import actor, writing
from otel_guard.cli._base import USAGE, Problem, console, emit, needed_dsn, plain, settings
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.ids import uuid7
from otel_guard.runtime.text import safe_text
from otel_guard.settings.identity import identity
from otel_guard.store import deployments
from otel_guard.store.ask import Row

LIMIT: Final = 200
URL_LIMIT: Final = 2000
UNNAMED: Final = "unknown_service"


def command(
    *,
    release: Annotated[
        str | None, typer.Option(metavar="SHA", help="What runs now; else the release that applications would say.")
    ] = None,
    service: Annotated[str | None, typer.Option(help="Which one; else $OTEL_SERVICE_NAME, else all.")] = None,
    environment: Annotated[
        str | None, typer.Option(help="Where; else OTEL_GUARD_ENVIRONMENT, else production.")
    ] = None,
    url: Annotated[str | None, typer.Option(metavar="U", help="Of the build or the change.")] = None,
    by: Annotated[str | None, typer.Option(help="Who deploys; else $USER.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Write it down, in the moment when it goes live: alerts then say "6 min after deploy a1b2c3d".

    The monitor notices a new release by itself when processes with it start; this also knows who, and the link. Write the
    release as your processes do (`service.version`, GIT_SHA …).
    """
    given = settings()
    who = identity(given, os.environ)
    if not (said := (release or who.release or "").strip()):
        raise Problem("which release is not said", "write otel-guard deploy --release a1b2c3d", USAGE)
    if url is not None and not url.startswith(("https://", "http://")):
        raise Problem(f"--url {url} is no address", "write https://…", USAGE)
    named = service or (who.service if who.service != UNNAMED else None)
    with writing(needed_dsn(given)) as database:
        row = deployments.record(
            database,
            uuid7(SYSTEM.now_ms()),
            release=safe_text(said, LIMIT),
            service=named and safe_text(named, LIMIT),
            environment=safe_text(environment or who.environment, LIMIT),
            actor=actor(by),
            url=url and safe_text(url, URL_LIMIT),
        )
    if json:
        emit("deploy", {"deployment": row})
    else:
        console().print(plain(line(row)))


def line(row: Row) -> str:
    """`web a1b2c3d (production), before it 99f3c2e`."""
    before = f", before it {row['previous']}" if row["previous"] else ""
    return f"{row['service'] or 'all services'} {row['release']} ({row['environment']}){before}"
