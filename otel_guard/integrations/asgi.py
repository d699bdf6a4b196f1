"""FastAPI, Starlette: `mount(app)`; any other ASGI application: `application = wrap(application)`."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from otel_guard.core.exceptions import MissingExtraError
from otel_guard.core.web import Answer, Authorize, Request
from otel_guard.integrations._base import Front, Guarded

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
HTTP: Final = "http"
BRIDGE: Final = "a2wsgi"


class Wrapped:
    """The application with us in front; other attributes are the application's."""

    def __init__(self, application: Asgi, calls: "Calls") -> None:
        self._application = application
        self._calls = calls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI call."""
        await self._calls(self._application, scope, receive, send)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._application, name)


class Calls:
    """Answers what is ours, hands the rest on."""

    def __init__(self, front: Front, *, is_asking: bool) -> None:
        """*is_asking*: the application's `authorize` may block, so it is called in a thread."""
        self._front = front
        self._is_asking = is_asking
        self._pages = _bridged(front)

    async def __call__(self, inner: Asgi, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI call."""
        path = _path(scope) if scope["type"] == HTTP else ""
        endpoint = self._front.endpoint(path)
        if endpoint is not None:
            await _send(send, await self._answer(endpoint, _request(scope, path)))
        elif self._pages is not None and path and self._front.is_page(path):
            await self._pages(_below(scope, path, self._front.pages_at or "/"), receive, send)
        else:
            await inner(scope, receive, send)

    async def _answer(self, endpoint: str, request: Request) -> Answer:
        if self._is_asking and endpoint == "health":
            return await asyncio.to_thread(self._front.answer, endpoint, request)
        return self._front.answer(endpoint, request)


def mount(
    app: Any,
    guard: Guarded | None = None,
    *,
    health: str | None = "/",
    dashboard: str | None = None,
    authorize: Authorize | None = None,
) -> None:
    """Put `/livez`, `/readyz` and `/health` (below *health*; None: none) and the pages in front of *app*."""
    calls = _calls(guard, health, dashboard, authorize)
    kind: Any = type(app)

    # Middleware that is added, or patched in, at any later time stays behind us.
    async def call(self: Any, scope: Scope, receive: Receive, send: Send) -> None:
        await calls(partial(kind.__call__, self), scope, receive, send)

    mounted = type(kind.__name__, (kind,), {"__call__": call, "__module__": kind.__module__, "__doc__": kind.__doc__})
    app.__class__ = mounted


def wrap(
    application: Asgi,
    guard: Guarded | None = None,
    *,
    health: str | None = "/",
    dashboard: str | None = None,
    authorize: Authorize | None = None,
) -> Wrapped:
    """Put `/livez`, `/readyz` and `/health` (below *health*; None: none) and the pages in front of *application*.

    Wrap last: what comes after sees the requests too.
    """
    return Wrapped(application, _calls(guard, health, dashboard, authorize))


def _calls(guard: Guarded | None, health: str | None, dashboard: str | None, authorize: Authorize | None) -> Calls:
    front = Front(guard, health=health, dashboard=dashboard, authorize=authorize)
    return Calls(front, is_asking=authorize is not None)


def _path(scope: Scope) -> str:
    """The path below the mounted application: servers disagree about whether `root_path` is a part of it."""
    path, root = str(scope.get("path", "")), str(scope.get("root_path", "")).rstrip("/")
    return path[len(root) :] if root and path.startswith(root + "/") else path


def _request(scope: Scope, path: str) -> Request:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope.get("headers", ())}
    query = scope.get("query_string", b"").decode("latin-1")
    return Request(method=str(scope.get("method", "GET")), path=path, query_string=query, headers=headers)


async def _send(send: Send, answer: Answer) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _below(scope: Scope, path: str, root: str) -> Scope:
    base = str(scope.get("root_path", "")).rstrip("/") + root.rstrip("/")
    return {**scope, "root_path": base, "path": base + path[len(root.rstrip("/")) :]}


def _bridged(front: Front) -> Asgi | None:
    """The pages are WSGI: a2wsgi runs them in threads."""
    if front.pages is None:
        return None
    if find_spec(BRIDGE) is None:
        raise MissingExtraError("the dashboard of an ASGI application needs a2wsgi: pip install a2wsgi")
    bridge: Asgi = import_module(BRIDGE).WSGIMiddleware(front.pages)
    return bridge
