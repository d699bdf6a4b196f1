"""FastAPI: contrib's server spans for applications made before or after us, and what leaves them."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

import fastapi

from otel_guard.instrumentation._engine import Adopt, Instrumentation, Services, find, unwrap, wrap
from otel_guard.instrumentation._starlette_apps import EXCLUDED, Apps

# Loaded at an application's first call: it imports fastapi, so it may be half-loaded while this file is read.
_CONTRIB: Final = "opentelemetry.instrumentation.fastapi"


def adopt(services: Services) -> Callable[[], None]:
    """Watch every application from its first call."""
    apps = Apps(services, _instrument)
    place = find(fastapi.applications, "FastAPI.__call__")
    patch = wrap(place, apps.called) if place is not None else None

    def undo() -> None:
        apps.is_on = False
        if patch is not None:
            unwrap(patch)

    return undo


def _instrument(app: Any, services: Services) -> None:
    built = app.middleware_stack
    if built is not None:  # it serves already: put the spans round what is there
        app.build_middleware_stack = lambda: built
    # FastAPI's own spans (since 0.13x) keep silent where it finds contrib's middleware.
    import_module(_CONTRIB).FastAPIInstrumentor.instrument_app(
        app,
        tracer_provider=services.tracer_provider,
        meter_provider=services.meter_provider,
        exclude_spans=list(EXCLUDED),
    )
    if built is not None:
        app.middleware_stack = app.build_middleware_stack()


FASTAPI: Final = Instrumentation(
    name="fastapi",
    requires="fastapi >= 0.92",
    context="api",
    system="http",
    targets=(
        Adopt(
            module="fastapi",
            adopt=adopt,
            needs=(
                ("fastapi.applications", "FastAPI.__call__"),
                ("starlette.applications", "Starlette.add_middleware"),
            ),
        ),
    ),
)
