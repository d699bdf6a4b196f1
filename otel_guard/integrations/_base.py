"""What stands in front of an application: the health endpoints, and the pages where they are asked for."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Protocol, cast

from otel_guard.core.exceptions import OtelGuardError
from otel_guard.core.web import Answer, Authorize, Request
from otel_guard.dashboard.loading import load
from otel_guard.guard import current
from otel_guard.health.endpoint import paths
from otel_guard.health.health import Health
from otel_guard.runtime.clock import SYSTEM
from otel_guard.store.ask import Database
from otel_guard.store.lane import Lane

StartResponse = Callable[..., Any]
Wsgi = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]
HEADER: Final = "HTTP_"
_PLAIN: Final = {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}


class Guarded(Protocol):
    """What is taken of the guard; `dashboard(authorize)` makes the pages as a WSGI application."""

    @property
    def health(self) -> Health:
        """The endpoints' source."""
        ...


class Front:
    """Knows by the path whether a request is for us."""

    def __init__(
        self, guard: Guarded | None, *, health: str | None, dashboard: str | None, authorize: Authorize | None
    ) -> None:
        """*guard* None: the current one; NotConfiguredError before `configure()`."""
        known = guard if guard is not None else cast("Guarded", current())
        self.pages_at = "/" + dashboard.strip("/") if dashboard is not None else None
        self.pages = _pages(known, authorize) if dashboard is not None else None
        self._health = known.health
        self._authorize = authorize
        self._paths: Mapping[str, str] = paths(health) if health is not None else {}

    def endpoint(self, path: str) -> str | None:
        """The endpoint at *path*, None: the application's own."""
        return self._paths.get(path)

    def answer(self, endpoint: str, request: Request) -> Answer:
        """Answer it."""
        return self._health.answer(endpoint, request, self._authorize)

    def is_page(self, path: str) -> bool:
        """Whether *path* is one of the pages."""
        root = self.pages_at
        return root is not None and (path == root or path.startswith(root.rstrip("/") + "/"))


def below(environ: Mapping[str, Any], root: str) -> dict[str, Any]:
    """The environment of an application mounted at *root*."""
    moved = dict(environ)
    moved["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + root.rstrip("/")
    moved["PATH_INFO"] = environ.get("PATH_INFO", "")[len(root.rstrip("/")) :]
    return moved


def request_of(environ: Mapping[str, Any]) -> Request:
    """A WSGI request as a value."""
    headers = {
        key[len(HEADER) :].replace("_", "-").lower(): str(value)
        for key, value in environ.items()
        if key.startswith(HEADER)
    }
    headers |= {name: str(environ[key]) for key, name in _PLAIN.items() if environ.get(key)}
    return Request(
        method=str(environ.get("REQUEST_METHOD", "GET")),
        path=str(environ.get("PATH_INFO", "")),
        query_string=str(environ.get("QUERY_STRING", "")),
        headers=headers,
    )


def called(front: Front, inner: Wsgi, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """One WSGI call: ours, or the application's."""
    path = environ.get("PATH_INFO", "")
    endpoint = front.endpoint(path)
    if endpoint is not None:
        answer = front.answer(endpoint, request_of(environ))
        start_response(f"{answer.status} {answer.reason}", list(answer.headers))
        return [answer.body]
    if front.pages is not None and front.pages_at is not None and front.is_page(path):
        pages: Iterable[bytes] = front.pages(below(environ, front.pages_at), start_response)
        return pages
    return inner(environ, start_response)


def _pages(guard: Any, authorize: Authorize | None) -> Wsgi:
    """The pages on connections of their own, each for as long as a page is made."""
    made = getattr(guard, "dashboard", None)
    if made is not None:
        pages: Wsgi = made(authorize)
        return pages
    settings = guard.settings
    if settings.dsn is None:
        raise OtelGuardError("the pages need OTEL_GUARD_DSN: set it, or leave dashboard=… out")

    @contextmanager
    def transaction() -> Iterator[Database]:
        lane = Lane(settings.dsn, SYSTEM)
        try:
            with lane.transaction() as database:
                yield database
        finally:
            lane.close()

    application: Wsgi = load("application").Application(transaction, guard.incidents, settings.secret_key, SYSTEM)
    return application
