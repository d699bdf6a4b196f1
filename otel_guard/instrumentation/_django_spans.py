"""Contrib's middleware for Django, asked by hand: the settings stay as they are, an async view stays async."""

from collections.abc import Callable
from importlib import import_module
from threading import Lock
from typing import Any, Final

from otel_guard.instrumentation._engine import Services

_CONTRIB: Final = "opentelemetry.instrumentation.django"
FAILED: Final = 500
GONE: Final = 499


class Spans:
    """Begins and ends the server span of a request."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = Lock()  # guards _is_asked
        self._is_asked = False
        self._middleware: Any = None  # None: the application has contrib's in its own settings
        self._undo: Callable[[], None] | None = None

    def begin(self, request: Any) -> bool:
        """Start the span; False: not ours to make."""
        with self._lock:
            if not self._is_asked:  # at the first request the settings are loaded
                self._is_asked = True
                self._make()
        if self._middleware is not None:
            self._middleware.process_request(request)
        return self._middleware is not None

    def resolved(self, request: Any) -> None:
        """The route is known."""
        self._middleware.process_view(request, None)

    def raised(self, request: Any, exc: BaseException) -> None:
        """The request fails with *exc*."""
        self._middleware.process_exception(request, exc)

    def end(self, request: Any, response: Any) -> None:
        """End the span of an answered request."""
        self._middleware.process_response(request, response)

    def end_unanswered(self, request: Any, status: int) -> None:
        """End the span of a request without a response."""
        self.end(request, import_module("django.http").HttpResponse(status=status))

    def close(self) -> None:
        """Put contrib back."""
        if self._undo is not None:
            self._undo()

    def _make(self) -> None:
        theirs = import_module(_CONTRIB).DjangoInstrumentor()
        if theirs.is_instrumented_by_opentelemetry:
            return
        settings = import_module("django.conf").settings
        before = list(settings.MIDDLEWARE)
        theirs.instrument(
            skip_dep_check=True,
            tracer_provider=self._services.tracer_provider,
            meter_provider=self._services.meter_provider,
        )
        added = next((path for path in settings.MIDDLEWARE if path not in before), None)
        if added is not None:
            settings.MIDDLEWARE.remove(added)
            self._middleware = import_module("django.utils.module_loading").import_string(added)(lambda _: None)
        self._undo = theirs.uninstrument
