"""A Django application whose middleware gets in the way of health checks; prints how it answers, as a process of its own."""

import json
import sys
from collections.abc import Callable
from typing import Any

from django.conf import settings  # type: ignore[import-untyped]
from django.core.wsgi import get_wsgi_application  # type: ignore[import-untyped]
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from werkzeug.test import Client

from otel_guard.integrations.wsgi import wrap
from tests.unit.health.world import World

SEEN: list[str] = []
urlpatterns: list[Any] = []


class Middleware:
    """Sees everybody."""

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self._get_response = get_response

    def __call__(self, request: Any) -> Any:
        SEEN.append(request.path)
        return self._get_response(request)


def main() -> None:
    """Ask the endpoints, then a page."""
    settings.configure(
        SECRET_KEY="x" * 50,
        ALLOWED_HOSTS=["shop.example"],
        SECURE_SSL_REDIRECT=True,
        MIDDLEWARE=[f"{__name__}.Middleware", "django.middleware.security.SecurityMiddleware"],
        ROOT_URLCONF=__name__,
        LOGGING_CONFIG=None,
    )
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    DjangoInstrumentor().instrument(tracer_provider=provider)
    world = World()
    world.health.start()
    client = Client(wrap(get_wsgi_application(), world))
    answers = [client.get(path).status_code for path in ("/livez", "/readyz", "/health")]
    before = (list(SEEN), len(spans.get_finished_spans()))
    page = client.get("/shop", base_url="http://shop.example").status_code
    told = {"answers": answers, "before": before, "page": page, "after": (SEEN, len(spans.get_finished_spans()))}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
