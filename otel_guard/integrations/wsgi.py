"""Any WSGI application, Django's among them: `application = wrap(application)`."""

from collections.abc import Iterable
from typing import Any

from otel_guard.core.web import Authorize
from otel_guard.integrations._base import Front, Guarded, StartResponse, Wsgi, called


class Wrapped:
    """The application with us in front; other attributes are the application's."""

    def __init__(self, application: Wsgi, front: Front) -> None:
        self._application = application
        self._front = front

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """One WSGI call."""
        return called(self._front, self._application, environ, start_response)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._application, name)


def wrap(
    application: Wsgi,
    guard: Guarded | None = None,
    *,
    health: str | None = "/",
    dashboard: str | None = None,
    authorize: Authorize | None = None,
) -> Wrapped:
    """Put `/livez`, `/readyz` and `/health` (below *health*; None: none) and the pages in front of *application*.

    Wrap last: what comes after sees the requests too.
    """
    return Wrapped(application, Front(guard, health=health, dashboard=dashboard, authorize=authorize))
