"""httpx and httpx2 (the AI SDKs'): contrib's spans, one a request."""

from typing import Final

from otel_guard.instrumentation._engine import Adopt, Instrumentation, instrumentor

_CONTRIB: Final = "opentelemetry.instrumentation.httpx"

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
            needs=(("httpx2", "HTTPTransport.handle_request"), ("httpx2", "AsyncHTTPTransport.handle_async_request")),
        ),
    ),
)
