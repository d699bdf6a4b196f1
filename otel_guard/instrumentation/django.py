"""Django: contrib's server spans, the route instead of the path, unhandled exceptions, and the loaded user."""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlsplit

from django.core.exceptions import SuspiciousOperation  # type: ignore[import-untyped]
from django.core.signals import got_request_exception  # type: ignore[import-untyped]
from opentelemetry import trace
from opentelemetry.trace import Span

from otel_guard.core import semconv
from otel_guard.instrumentation._django_spans import FAILED, GONE, Spans
from otel_guard.instrumentation._engine import Adopt, Instrumentation, Services, find, unwrap, wrap
from otel_guard.instrumentation._engine_web import attributes_of, forgive, said_user

_BASE: Final = "django.core.handlers.base"
_REFUSALS: Final = "django.core.handlers.exception"
_BEGUN: Final = "_otel_guard_begun"
_PATHS: Final = (semconv.HTTP_TARGET, semconv.URL_PATH)
_URLS: Final = (semconv.HTTP_URL, semconv.URL_FULL)
_USERS: Final = ("_cached_user", "_acached_user", "user")


def adopt(services: Services) -> Callable[[], None]:
    """Watch every request of every handler, made before us or later."""
    spans = Spans(services)
    requests = _Requests(services, spans)
    got_request_exception.connect(requests.unhandled, weak=False)
    places = (
        (_BASE, "BaseHandler.get_response", requests.answered),
        (_BASE, "BaseHandler.get_response_async", requests.answered_async),
        (_BASE, "BaseHandler.resolve_request", requests.resolved),
        (_REFUSALS, "response_for_exception", requests.refused),
    )
    found = [(find(import_module(module), name), watched) for module, name, watched in places]
    patches = [wrap(place, watched) for place, watched in found if place is not None]

    def undo() -> None:
        got_request_exception.disconnect(requests.unhandled)
        while patches:
            unwrap(patches.pop())
        spans.close()

    return undo


class _Requests:
    """What is told of a request."""

    def __init__(self, services: Services, spans: Spans) -> None:
        self._services = services
        self._spans = spans

    def answered(self, wrapped: Callable[..., Any], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`BaseHandler.get_response`: the whole chain of middleware."""
        request = args[0] if args else kwargs["request"]
        if not self._begins(request):
            return wrapped(*args, **kwargs)
        try:
            response = wrapped(*args, **kwargs)
        except BaseException as exc:
            self._breaks(request, exc)
            raise
        self._ends(request, response)
        return response

    async def answered_async(
        self, wrapped: Callable[..., Any], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """`BaseHandler.get_response_async`; cancelled when the client goes."""
        request = args[0] if args else kwargs["request"]
        if not self._begins(request):
            return await wrapped(*args, **kwargs)
        try:
            response = await wrapped(*args, **kwargs)
        except BaseException as exc:
            self._breaks(request, exc)
            raise
        self._ends(request, response)
        return response

    def resolved(self, wrapped: Callable[..., Any], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`BaseHandler.resolve_request`: from here on the route is known."""
        match = wrapped(*args, **kwargs)
        with self._services.failsafe("django.route"):
            request = args[0] if args else kwargs["request"]
            if _BEGUN in vars(request):
                self._spans.resolved(request)
            if (route := _route(request)) is not None:
                _hide_path(trace.get_current_span(), route)
        return match

    def refused(self, wrapped: Callable[..., Any], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`response_for_exception`: Django answers 400, and logs an error all the same."""
        with self._services.failsafe("django.refused"):
            exc = args[1] if len(args) > 1 else kwargs.get("exc")
            if isinstance(exc, SuspiciousOperation):
                forgive(exc)
        return wrapped(*args, **kwargs)

    def unhandled(self, request: Any = None, **_: Any) -> None:
        """An exception becomes a 500."""
        with self._services.failsafe("django.unhandled"):
            exc = sys.exc_info()[1]
            if exc is None or request is None:
                return
            user_id = _user_id(request, trace.get_current_span())
            self._services.unhandled(exc, route=_route(request), user_id=user_id)
            if _BEGUN in vars(request):
                self._spans.raised(request, exc)

    def _begins(self, request: Any) -> bool:
        with self._services.failsafe("django.begin"):
            if _has_host(request) and self._spans.begin(request):
                vars(request)[_BEGUN] = True
                return True
        return False

    def _ends(self, request: Any, response: Any) -> None:
        with self._services.failsafe("django.end"):
            span = trace.get_current_span()
            user_id = _user_id(request, span)
            if user_id is not None and span.get_span_context().is_valid:
                self._services.user(user_id)
            self._spans.end(request, response)

    def _breaks(self, request: Any, exc: BaseException) -> None:
        """Nothing answers: the client is gone, the process ends, or Django is told to let exceptions through."""
        with self._services.failsafe("django.break"):
            if isinstance(exc, Exception):
                self._spans.raised(request, exc)
            else:
                trace.get_current_span().set_attribute(semconv.GUARD_OUTCOME, "cancelled")
            self._spans.end_unanswered(request, FAILED if isinstance(exc, Exception) else GONE)


def _has_host(request: Any) -> bool:
    """Contrib asks for the URL; a bad host is the application's to refuse, or not."""
    try:
        request.get_host()
    except SuspiciousOperation:
        return False
    return True


def _route(request: Any) -> str | None:
    return getattr(getattr(request, "resolver_match", None), "route", None)


def _hide_path(span: Span, route: str) -> None:
    """A path may hold a secret (an order's key): its route stands for it."""
    known, path = attributes_of(span), f"/{route.removeprefix('/')}"
    for key in _PATHS:
        if key in known:
            span.set_attribute(key, path)
    for key in _URLS:
        if key in known:
            span.set_attribute(key, urlsplit(str(known[key]))._replace(path=path, query="").geturl())


def _user_id(request: Any, span: Span) -> str | None:
    """The user if it is loaded, by what is in memory: neither session nor database is asked; else the span's."""
    for name in _USERS:
        user = vars(request).get(name)
        user = getattr(user, "__dict__", {}).get("_wrapped", user)  # django.contrib.auth's is lazy
        key = getattr(getattr(getattr(user, "_meta", None), "pk", None), "attname", "id")
        if (found := getattr(user, "__dict__", {}).get(key)) is not None:
            return str(found)
    return said_user(span)


DJANGO: Final = Instrumentation(
    name="django",
    requires="django >= 3.1",
    context="api",
    system="http",
    targets=(
        Adopt(
            module=_BASE,
            adopt=adopt,
            needs=((_BASE, "BaseHandler.get_response"), (_BASE, "BaseHandler.resolve_request")),
        ),
    ),
)
