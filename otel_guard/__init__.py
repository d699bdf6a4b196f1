"""Early warning for Python applications: every failed call kept once, in your own Postgres and in Sentry."""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from otel_guard.core.exceptions import OtelGuardError
    from otel_guard.core.record import Context, Severity
    from otel_guard.face import capture_error, close, flush, user, watch, webhook
    from otel_guard.guard import Guard, configure, current
    from otel_guard.settings import Settings

# Loaded when asked for: `import otel_guard` costs next to nothing.
_HOMES: Final = {
    "Context": "otel_guard.core.record",
    "Guard": "otel_guard.guard",
    "OtelGuardError": "otel_guard.core.exceptions",
    "Settings": "otel_guard.settings",
    "Severity": "otel_guard.core.record",
    "capture_error": "otel_guard.face",
    "close": "otel_guard.face",
    "configure": "otel_guard.guard",
    "current": "otel_guard.guard",
    "flush": "otel_guard.face",
    "user": "otel_guard.face",
    "watch": "otel_guard.face",
    "webhook": "otel_guard.face",
}

__all__ = [
    "Context",
    "Guard",
    "OtelGuardError",
    "Settings",
    "Severity",
    "capture_error",
    "close",
    "configure",
    "current",
    "flush",
    "user",
    "watch",
    "webhook",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'otel_guard' has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(home), name)  # from now on a plain look-up
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
