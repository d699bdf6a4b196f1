"""Service, environment, release and host are OTel's own, else what the platform says."""

import socket

import pytest

from otel_guard.settings import Settings
from otel_guard.settings.identity import identity

RESOURCE = "service.name=shop,service.version=7,deployment.environment.name=stage,host.name=web%2D1"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, ("unknown_service", "production", None)),
        ({"OTEL_SERVICE_NAME": "till", "OTEL_RESOURCE_ATTRIBUTES": RESOURCE}, ("till", "stage", "7")),
        ({"OTEL_RESOURCE_ATTRIBUTES": RESOURCE, "SENTRY_RELEASE": "8"}, ("shop", "stage", "7")),
        ({"SENTRY_ENVIRONMENT": "qa", "GIT_SHA": "abc"}, ("unknown_service", "qa", "abc")),
        ({"SENTRY_RELEASE": "8", "GIT_SHA": "abc"}, ("unknown_service", "production", "8")),
        ({"SENTRY_RELEASE": "", "RENDER_GIT_COMMIT": "def"}, ("unknown_service", "production", "def")),
        ({"OTEL_RESOURCE_ATTRIBUTES": "nonsense,=,a"}, ("unknown_service", "production", None)),
    ],
)
def test_who_the_process_is(environ: dict[str, str], expected: tuple[str, str, str | None]) -> None:
    who = identity(Settings(), environ)

    assert (who.service, who.environment, who.release) == expected


def test_the_setting_comes_before_every_variable() -> None:
    environ = {"OTEL_RESOURCE_ATTRIBUTES": RESOURCE, "SENTRY_ENVIRONMENT": "qa"}

    assert identity(Settings(environment="dev"), environ).environment == "dev"


@pytest.mark.parametrize(("resource", "host"), [("", socket.gethostname()), (RESOURCE, "web-1")])
def test_the_host_is_the_resources_else_the_machines(resource: str, host: str) -> None:
    assert identity(Settings(), {"OTEL_RESOURCE_ATTRIBUTES": resource}).host == host
