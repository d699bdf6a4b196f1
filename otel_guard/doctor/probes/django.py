"""django: a page, and one whose view raises."""

import sys
from types import ModuleType
from typing import Any, Final

import django  # type: ignore[import-untyped]
from django.conf import settings  # type: ignore[import-untyped]
from django.http import HttpRequest, HttpResponse  # type: ignore[import-untyped]
from django.test import Client  # type: ignore[import-untyped]
from django.urls import path  # type: ignore[import-untyped]

from otel_guard.doctor.probes._base import Nowhere

URLS: Final = "otel_guard_doctor_urls"


def start() -> Nowhere:
    """Make a site of two pages."""
    urls: Any = ModuleType(URLS)
    urls.urlpatterns = [path("good/", _good), path("broken/", _broken)]
    sys.modules[URLS] = urls
    if not settings.configured:
        settings.configure(ROOT_URLCONF=URLS, ALLOWED_HOSTS=["*"], DATABASES={}, MIDDLEWARE=[], LOGGING_CONFIG=None)
        django.setup()
    return Nowhere()


def good(_server: Any) -> None:
    """It is shown."""
    Client(raise_request_exception=False).get("/good/")


def failing(_server: Any) -> None:
    """Its view raises."""
    Client(raise_request_exception=False).get("/broken/")


def _good(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("good")


def _broken(_request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a failing call of otel-guard doctor")
