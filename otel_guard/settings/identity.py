"""Who the process is: service, environment, release, host."""

import socket
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from msgspec import Struct

from otel_guard.settings.tree import Settings

RELEASE_VARIABLES: Final = (
    "SENTRY_RELEASE",
    "HEROKU_SLUG_COMMIT",
    "RENDER_GIT_COMMIT",
    "RAILWAY_GIT_COMMIT_SHA",
    "GIT_SHA",
)


class Identity(Struct, frozen=True, kw_only=True):
    """What stands on every row and span of this process."""

    service: str
    environment: str
    release: str | None
    host: str


def identity(settings: Settings, environ: Mapping[str, str]) -> Identity:
    """Read it from OTel's own variables first (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES)."""
    resource = _resource(environ.get("OTEL_RESOURCE_ATTRIBUTES", ""))
    releases = (environ.get(variable) for variable in RELEASE_VARIABLES)
    return Identity(
        service=environ.get("OTEL_SERVICE_NAME") or resource.get("service.name") or "unknown_service",
        environment=settings.environment
        or resource.get("deployment.environment.name")
        or environ.get("SENTRY_ENVIRONMENT")
        or "production",
        release=resource.get("service.version") or next(filter(None, releases), None),
        host=resource.get("host.name") or socket.gethostname(),
    )


def _resource(text: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in text.split(",") if "=" in pair)
    return {key.strip(): unquote(value.strip()) for key, _, value in pairs}
