"""httpx and httpx2 (the AI SDKs'): contrib's spans, one a request."""

from importlib.metadata import entry_points
from types import SimpleNamespace
from typing import Final

from otel_guard.instrumentation._engine import Adopt, Instrumentation, instrumentor

_CONTRIB: Final = "opentelemetry.instrumentation.httpx"
# What contrib says it can watch: 0.64b0 knows no httpx2, and without httpx its module cannot even be imported.
_KNOWN: Final = SimpleNamespace(
    **{entry.name: entry.value for entry in entry_points(group="opentelemetry_instrumentor", name="httpx2")}
)

HTTPX: Final = Instrumentation(
    name="httpx",
    requires="httpx >= 0.18",
    context="api",
    targets=(
        Adopt(
            module="httpx",
            adopt=instrumentor(_CONTRIB, "HTTPXClientInstrumentor"),
            needs=(("httpx", "HTTPTransport.handle_request"), ("httpx", "AsyncHTTPTransport.handle_async_request")),
        ),
    ),
)
HTTPX2: Final = Instrumentation(
    name="httpx2",
    requires="httpx2 >= 2",
    context="api",
    targets=(
        Adopt(
            module="httpx2",
            adopt=instrumentor(_CONTRIB, "HTTPX2ClientInstrumentor"),
            needs=(
                (__name__, "_KNOWN.httpx2"),
                ("httpx2", "HTTPTransport.handle_request"),
                ("httpx2", "AsyncHTTPTransport.handle_async_request"),
            ),
        ),
    ),
)
