"""The pages as a WSGI application, below any prefix."""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, MapAdapter, Rule

from otel_guard.core.exceptions import SchemaError, StoreUnavailableError
from otel_guard.dashboard.acknowledge import AcknowledgePage, Acknowledges, Transaction
from otel_guard.dashboard.rendering import Page, Pages
from otel_guard.runtime.clock import Clock

FORM_BYTES: Final = 4096
RETRY_S: Final = 30
SEE_OTHER: Final = 303
logger: Final = logging.getLogger("otel_guard")
ROUTES: Final = (
    Rule("/alerts/<uuid:incident_id>/acknowledge", endpoint="acknowledge", methods=["GET", "POST"]),
    Rule("/static/style.css", endpoint="style", methods=["GET"]),
)
_SAID: Final[dict[int, tuple[str, str]]] = {
    404: ("There is no such page", "The address may have been cut off on its way."),
    405: ("This page cannot do that", "Open it by its link again."),
    413: ("That was too much", "Open the page by its link again."),
    500: ("Something went wrong here", "The log of the dashboard says what."),
    503: ("Postgres does not answer", "Try again in half a minute."),
}


class _Asked(Request):
    max_content_length = FORM_BYTES
    max_form_memory_size = FORM_BYTES
    max_form_parts = 10


class Application:
    """Routes, and turns what goes wrong into a page; URLs are never logged, they hold signatures."""

    def __init__(self, transaction: Transaction, incidents: Acknowledges, secret_key: str | None, clock: Clock) -> None:
        """*transaction* gives a database; *incidents* is `alerts.incidents.Incidents`."""
        self._routes = Map([rule.empty() for rule in ROUTES], strict_slashes=False, merge_slashes=False)
        self._pages = Pages()
        self._acknowledge = AcknowledgePage(transaction, incidents, secret_key, clock)
        self._clock = clock

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """One WSGI call."""
        request, adapter = _Asked(environ), self._routes.bind_to_environ(environ)
        return self._answer(request, adapter)(environ, start_response)

    def _answer(self, request: Request, adapter: MapAdapter) -> Response:
        try:
            return self._routed(request, adapter)
        except HTTPException as error:
            return self._problem(error.code or 500, adapter)
        except (StoreUnavailableError, SchemaError) as error:
            logger.warning("otel-guard: dashboard: %s", error)
            return self._problem(503, adapter, {"Retry-After": str(RETRY_S)})
        except Exception:
            logger.exception("otel-guard: dashboard")
            return self._problem(500, adapter)

    def _routed(self, request: Request, adapter: MapAdapter) -> Response:
        endpoint, given = adapter.match()
        if endpoint == "style":
            return self._pages.style()
        incident_id, query = str(given["incident_id"]), request.args
        if request.method != "POST":
            return self._page(self._acknowledge.show(incident_id, query), adapter)
        page = self._acknowledge.act(incident_id, query, request.form.get("name", ""))
        if page is not None:
            return self._page(page, adapter)
        again = f"?{request.query_string.decode('latin-1')}"  # the same address: a reload asks, it does not act again
        headers = {"Location": again}
        return self._page(Page(template="moved.html", status=SEE_OTHER, headers=headers), adapter)

    def _problem(self, status: int, adapter: MapAdapter, headers: dict[str, str] | None = None) -> Response:
        title, why = _SAID.get(status, _SAID[404 if status < 500 else 500])  # noqa: PLR2004
        values = {"title": title, "why": why, "command": "otel-guard alerts", "at": None}
        page = Page(template="problem.html", values=values, status=status, headers=headers or {})
        return self._page(page, adapter)

    def _page(self, page: Page, adapter: MapAdapter) -> Response:
        now = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC)
        return self._pages.answer(page, adapter.build("style"), now)
