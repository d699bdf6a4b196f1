"""Flask: contrib's server spans for apps made before or after us, unhandled exceptions, and the loaded user."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

import flask
from flask.signals import got_request_exception, request_finished

from otel_guard.instrumentation._engine import Adopt, Instrumentation, Services, find, unwrap, wrap

# Loaded at an application's first request: it imports flask, so it may be half-loaded while this file is read.
_CONTRIB: Final = "opentelemetry.instrumentation.flask"
_CLAIM: Final = "_otel_guard_claimed"
_THEIRS: Final = "_is_instrumented_by_opentelemetry"


def adopt(services: Services) -> Callable[[], None]:
    """Watch every app at its first request, and the signals."""
    seen = _Signals(services)
    got_request_exception.connect(seen.unhandled, weak=False)
    request_finished.connect(seen.finished, weak=False)
    place = find(flask, "Flask.__call__")
    patch = wrap(place, _first_request(services)) if place is not None else None

    def undo() -> None:
        got_request_exception.disconnect(seen.unhandled)
        request_finished.disconnect(seen.finished)
        if patch is not None:
            unwrap(patch)

    return undo


def _first_request(services: Services) -> Callable[..., Any]:
    def watched(wrapped: Callable[..., Any], app: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        state = app.__dict__
        # `setdefault` lets exactly one thread through.
        if _CLAIM not in state and state.setdefault(_CLAIM, mine := object()) is mine:
            with services.failsafe("instrument flask app"):
                _instrument(app, services)
        return wrapped(*args, **kwargs)

    return watched


def _instrument(app: Any, services: Services) -> None:
    if getattr(app, _THEIRS, False) or getattr(app, "_got_first_request", False):
        return  # the application's own instrumentor, or too late: Flask refuses new functions then
    import_module(_CONTRIB).FlaskInstrumentor.instrument_app(
        app, tracer_provider=services.tracer_provider, meter_provider=services.meter_provider
    )
    # The span must be open before the application's own functions, and end after them.
    for functions in (app.before_request_funcs[None], app.teardown_request_funcs[None]):
        functions.insert(0, functions.pop())


class _Signals:
    """What Flask's signals tell the capture."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def unhandled(self, _app: Any, exception: BaseException, **_: Any) -> None:
        """An exception left the view."""
        with self._services.failsafe("flask.unhandled"):
            rule = flask.request.url_rule
            route = rule.rule if rule is not None else None
            self._services.unhandled(exception, route=route, user_id=_user_id())

    def finished(self, _app: Any, **_: Any) -> None:
        """A response is made: by now the user is known."""
        with self._services.failsafe("flask.user"):
            if (user_id := _user_id()) is not None:
                self._services.user(user_id)


def _user_id() -> str | None:
    """The user that Flask-Login loaded, by what is in memory: an expired row would be a query."""
    user = flask.g.get("_login_user")
    if user is None:
        return None
    user = getattr(user, "_get_current_object", lambda: user)()
    state = vars(user)
    if (identity := getattr(state.get("_sa_instance_state"), "identity", None)) is not None:
        return ":".join(str(part) for part in identity)
    found = state.get("id")
    return str(found) if isinstance(found, str | int) else None


FLASK: Final = Instrumentation(
    name="flask",
    requires="flask >= 2.3",
    context="api",
    system="http",
    targets=(Adopt(module="flask", adopt=adopt, needs=(("flask", "Flask.__call__"),)),),
)
