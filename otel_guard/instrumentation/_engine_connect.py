"""The connects of database drivers: a span only of one that fails, told once however many functions it passed."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar, Token
from importlib import import_module
from types import TracebackType
from typing import Any, Final

from msgspec import Struct

from otel_guard.core.record import Context
from otel_guard.instrumentation._engine_database import connect_facts, is_watched, on_error, outcome_of_connect
from otel_guard.instrumentation._engine_kinds import Wrapper
from otel_guard.instrumentation._engine_patch import Patch, find, unwrap, wrap
from otel_guard.instrumentation._engine_services import Services
from otel_guard.runtime.suppression import is_sending

Describe = Callable[[Any, tuple[Any, ...], dict[str, Any]], Mapping[str, object]]

_connecting: Final[ContextVar[bool]] = ContextVar("otel_guard_connecting", default=False)


class Connects(Struct, frozen=True, kw_only=True):
    """Functions that connect; *where* gives server and database from the instance and the arguments."""

    system: str
    context: Context
    places: tuple[tuple[str, str], ...]  # (module, dotted name); what is not there is left out
    where: Describe


def watch_connects(services: Services, connects: Connects) -> Callable[[], None]:
    """Wrap each place; what is given back undoes it."""
    patches = list(_wrapped(services, connects))

    def undo() -> None:
        while patches:
            unwrap(patches.pop())

    return undo


def _wrapped(services: Services, connects: Connects) -> Iterator[Patch]:
    for module, dotted in connects.places:
        place = find(import_module(module), dotted)
        if place is not None:
            is_async = inspect.iscoroutinefunction(inspect.unwrap(place.original))
            yield wrap(place, (_asynchronous if is_async else _synchronous)(services, connects))


def _synchronous(services: Services, connects: Connects) -> Wrapper:
    def watched(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if is_sending():
            return _bare(wrapped)(*args, **kwargs)
        if _connecting.get() or not is_watched():
            return wrapped(*args, **kwargs)
        with _Told(services, connects, instance, args, kwargs):
            return wrapped(*args, **kwargs)

    return watched


def _asynchronous(services: Services, connects: Connects) -> Wrapper:
    async def watched(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if is_sending():
            return await _bare(wrapped)(*args, **kwargs)
        if _connecting.get() or not is_watched():
            return await wrapped(*args, **kwargs)
        with _Told(services, connects, instance, args, kwargs):
            return await wrapped(*args, **kwargs)

    return watched


class _Told:
    """One connect; no generator, whose frames would stand in the failure's traceback."""

    def __init__(
        self, services: Services, connects: Connects, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self._services = services
        self._connects = connects
        self._called = (instance, args, kwargs)
        self._started_ns = services.clock.now_ms() * 1_000_000
        self._token: Token[bool] | None = None

    def __enter__(self) -> None:
        self._token = _connecting.set(True)

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        if self._token is not None:
            _connecting.reset(self._token)
        if isinstance(exc, Exception):
            with self._services.failsafe(f"{self._connects.system}.connect"):
                where = _where(self._connects, *self._called)
                facts = connect_facts(self._connects.system, self._connects.context, where)
                on_error(self._services, facts, exc, outcome_of_connect(exc), self._started_ns)


def _where(connects: Connects, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Mapping[str, object]:
    try:
        return connects.where(instance, args, kwargs)
    except Exception:  # an address that the driver could not read either
        return {}


def _bare(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The driver's own function: the guard's connections get no watched cursors."""
    bare: Callable[..., Any] = getattr(wrapped, "__wrapped__", wrapped)
    return bare
