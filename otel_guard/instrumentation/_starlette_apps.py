"""What Starlette and FastAPI share: each application is instrumented at its first call, a layer tells what leaves it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.trace import Span, StatusCode
from starlette.requests import ClientDisconnect
from starlette.routing import Match, Mount
from starlette.websockets import WebSocketDisconnect

from otel_guard.core import semconv
from otel_guard.instrumentation._engine import Services
from otel_guard.instrumentation._engine_web import attributes_of, forgive, said_user

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

# One span a request: those of each message say nothing, and fail once more with it.
EXCLUDED: Final = ("receive", "send")
_CLAIM: Final = "_otel_guard_claimed"
_THEIRS: Final = "_is_instrumented_by_opentelemetry"
_NATIVE: Final = "fastapi.telemetry"  # in a scope: FastAPI's own spans are somebody else's business
_WATCHED: Final = frozenset({"http", "websocket"})
_GONE: Final = (ClientDisconnect, WebSocketDisconnect, asyncio.CancelledError)
_IDS: Final = ("id", "user_id", "pk", "identity", "sub", "username")


class Apps:
    """Wraps the call of an application's class; *instrument* gets each application once, before it is called."""

    def __init__(self, services: Services, instrument: Callable[[Any, Services], None]) -> None:
        self.services = services
        self.is_on = True
        self._instrument = instrument

    def called(self, wrapped: Callable[..., Any], app: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """One ASGI call."""
        if self.is_on:
            with self.services.failsafe("instrument asgi app"):
                self._see(app, args[0] if args else kwargs["scope"])
        return wrapped(*args, **kwargs)

    def _see(self, app: Any, scope: Scope) -> None:
        if scope.get("app", app) is not app:
            scope.setdefault(_NATIVE, None)  # mounted: the request has its span
            return
        state = vars(app)
        # `setdefault` lets exactly one thread through.
        if _CLAIM in state or state.setdefault(_CLAIM, mine := object()) is not mine:
            return
        built = app.middleware_stack
        if built is None:
            app.add_middleware(Layer, apps=self, routes=app.routes)
        else:
            built.app = Layer(built.app, apps=self, routes=app.routes)
        if not getattr(app, _THEIRS, False):
            self._instrument(app, self.services)


class Layer:
    """Outermost of the application's own middleware, inside the server span; the lifespan passes untouched."""

    def __init__(self, app: Asgi, *, apps: Apps, routes: Sequence[Any]) -> None:
        self.app = app
        self._apps = apps
        self._routes = routes
        self._mounts: dict[str, list[Any]] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI call."""
        if scope["type"] not in _WATCHED or not self._apps.is_on:
            await self.app(scope, receive, send)
            return
        failsafe, span, route = self._apps.services.failsafe, trace.get_current_span(), None
        with failsafe("asgi.route"):
            route = self._route(scope, span)

        async def watched(message: Any) -> None:
            if message["type"] == "http.response.start":
                with failsafe("asgi.user"):
                    self._answers(scope, span)
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except BaseException as exc:
            with failsafe("asgi.left"):
                self._left(exc, scope, span, route)
            raise

    def _answers(self, scope: Scope, span: Span) -> None:
        """A response is made: by now the user is known."""
        user_id = _user_id(scope, span)
        if user_id is not None and span.get_span_context().is_valid:
            self._apps.services.user(user_id)

    def _left(self, exc: BaseException, scope: Scope, span: Span, route: str | None) -> None:
        if isinstance(exc, _GONE):
            span.set_attribute(semconv.GUARD_OUTCOME, "cancelled")
            span.set_status(StatusCode.OK)  # final: who comes later finds no failure
            forgive(exc)
        elif isinstance(exc, Exception):
            self._apps.services.unhandled(exc, route=route, user_id=_user_id(scope, span))

    def _route(self, scope: Scope, span: Span) -> str | None:
        """The whole template: contrib names only the mount of what is mounted."""
        found = attributes_of(span).get(semconv.HTTP_ROUTE)
        if self._mounts is None:
            self._mounts = {each.path: each.routes for each in self._routes if isinstance(each, Mount)}
        if found in self._mounts and (whole := _template(self._routes, scope)) is not None and whole != found:
            span.set_attribute(semconv.HTTP_ROUTE, whole)
            span.update_name(f"{scope.get('method', '')} {whole}".strip())
            return whole
        return str(found) if found else None


def _template(routes: Sequence[Any], scope: Mapping[str, Any]) -> str | None:
    for route in routes:
        match, below = route.matches(scope)
        if match is Match.FULL:
            inner = _template(route.routes, {**scope, **below}) if isinstance(route, Mount) else None
            path: str | None = getattr(route, "path", None)
            return f"{path or ''}{inner or ''}" or None
    return None


def _user_id(scope: Scope, span: Span) -> str | None:
    """The user that a middleware loaded, by what is in memory: an expired row would be a query; else the span's."""
    user = scope.get("user")
    state = user if isinstance(user, Mapping) else getattr(user, "__dict__", {})
    if (identity := getattr(state.get("_sa_instance_state"), "identity", None)) is not None:
        return ":".join(str(part) for part in identity)
    found = next((state[name] for name in _IDS if state.get(name) is not None), None)
    return str(found) if found is not None else said_user(span)
