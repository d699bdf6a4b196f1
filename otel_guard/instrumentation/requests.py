"""requests: contrib's spans, one a request."""

from typing import Final

from otel_guard.instrumentation._engine import Adopt, Instrumentation, instrumentor

REQUESTS: Final = Instrumentation(
    name="requests",
    requires="requests >= 2.20",
    context="api",
    targets=(
        Adopt(
            module="requests",
            adopt=instrumentor("opentelemetry.instrumentation.requests", "RequestsInstrumentor"),
            needs=(("requests.sessions", "Session.send"),),
        ),
    ),
)
