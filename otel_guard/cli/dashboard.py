"""`otel-guard dashboard`: serve the pages."""

import sys
from typing import Annotated, Final

import typer

from otel_guard.alerts.links import KEY_BYTES, is_key
from otel_guard.cli._acting import acting
from otel_guard.cli._base import FAILED, USAGE, Problem, needed_dsn, settings
from otel_guard.dashboard.loading import load
from otel_guard.runtime.clock import SYSTEM
from otel_guard.settings import Settings
from otel_guard.store.lane import Lane

LOCAL: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def command(
    *,
    host: Annotated[
        str, typer.Option(help="Other addresses than 127.0.0.1 need OTEL_GUARD_DASHBOARD_TOKEN.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: a free one.")] = 8765,
) -> None:
    """Serve the pages behind the acknowledge links of messages; there are no others yet. Stop it with Ctrl-C."""
    application = load("application").Application
    given = settings()
    dsn = needed_dsn(given)
    _check(given, host)
    lane = Lane(dsn, SYSTEM)
    made = application(lane.transaction, acting(given), given.secret_key, SYSTEM)
    try:
        server = load("serving").server(made, host, port)
    except OSError as error:
        raise Problem(
            f"{host}:{port} cannot be listened on: {error.strerror}", "choose another --port", FAILED
        ) from error
    shown = f"[{host}]" if ":" in host else host
    sys.stdout.write(f"http://{shown}:{server.port}\n")
    sys.stdout.flush()
    try:
        server.serve_forever()  # until Ctrl-C
    finally:
        lane.close()


def _check(given: Settings, host: str) -> None:
    if not is_key(given.secret_key):
        raise Problem(
            f"OTEL_GUARD_SECRET_KEY has not {KEY_BYTES} bytes: no link can be checked",
            "write `openssl rand -hex 32` into it, here and where the monitor runs",
            USAGE,
        )
    if host not in LOCAL and not is_key(given.dashboard.token):
        raise Problem(
            f"--host {host} shows the pages to others",
            f"set OTEL_GUARD_DASHBOARD_TOKEN, at least {KEY_BYTES} bytes",
            USAGE,
        )
