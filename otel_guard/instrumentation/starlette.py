"""Starlette: contrib's server spans for applications made before or after us, and what leaves them."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from starlette import applications

from otel_guard.instrumentation._engine import Adopt, Instrumentation, Services, find, unwrap, wrap
from otel_guard.instrumentation._starlette_apps import EXCLUDED, Apps

# Loaded at an application's first call: it imports starlette, so it may be half-loaded while this file is read.
_CONTRIB: Final = "opentelemetry.instrumentation.starlette"


def adopt(services: Services) -> Callable[[], None]:
    """Watch every application from its first call."""
    apps = Apps(services, _instrument)

    def called(wrapped: Callable[..., Any], app: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if any(kind.__module__.startswith("fastapi.") for kind in type(app).__mro__):
            return wrapped(*args, **kwargs)  # another row's, or off
        return apps.called(wrapped, app, args, kwargs)

    place = find(applications, "Starlette.__call__")
    patch = wrap(place, called) if place is not None else None

    def undo() -> None:
        apps.is_on = False
        if patch is not None:
            unwrap(patch)

    return undo


def _instrument(app: Any, services: Services) -> None:
    built, app.middleware_stack = app.middleware_stack, None  # contrib adds to a stack that is not built
    try:
        import_module(_CONTRIB).StarletteInstrumentor.instrument_app(
            app, tracer_provider=services.tracer_provider, meter_provider=services.meter_provider
        )
        entry = app.user_middleware[0]
        entry.kwargs["exclude_spans"] = list(EXCLUDED)
        if built is not None:  # it serves already: put the spans round what is there
            built.app = entry.cls(built.app, *entry.args, **entry.kwargs)
    finally:
        app.middleware_stack = built


STARLETTE: Final = Instrumentation(
    name="starlette",
    requires="starlette >= 0.13",
    context="api",
    system="http",
    targets=(
        Adopt(
            module="starlette.applications",
            adopt=adopt,
            needs=(
                ("starlette.applications", "Starlette.__call__"),
                ("starlette.applications", "Starlette.add_middleware"),
            ),
        ),
    ),
)
