"""Flask: `mount(app)`."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from flask import Flask

from otel_guard.core.web import Authorize
from otel_guard.integrations._base import Front, Guarded, StartResponse, called


def mount(
    app: Flask,
    guard: Guarded | None = None,
    *,
    health: str | None = "/",
    dashboard: str | None = None,
    authorize: Authorize | None = None,
) -> None:
    """Put `/livez`, `/readyz` and `/health` (below *health*; None: none) and the pages in front of *app*."""
    front = Front(guard, health=health, dashboard=dashboard, authorize=authorize)
    kind: Any = type(app)

    # Instrumentations replace `app.wsgi_app` whenever they like, and can't cope with an answer that is not Flask's:
    # so not that is wrapped, but what the server calls. A class of its own leaves other apps alone.
    def call(self: Flask, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        return called(front, partial(kind.__call__, self), environ, start_response)

    mounted = type(kind.__name__, (kind,), {"__call__": call, "__module__": kind.__module__, "__doc__": kind.__doc__})
    app.__class__ = mounted
