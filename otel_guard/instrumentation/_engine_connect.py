"""The connects of database drivers: a span only of one that fails, told once however many functions it passed."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
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
        with _told(services, connects, instance, args, kwargs):
            return wrapped(*args, **kwargs)

    return watched


def _asynchronous(services: Services, connects: Connects) -> Wrapper:
    async def watched(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if is_sending():
            return await _bare(wrapped)(*args, **kwargs)
        if _connecting.get() or not is_watched():
            return await wrapped(*args, **kwargs)
        with _told(services, connects, instance, args, kwargs):
            return await wrapped(*args, **kwargs)

    return watched


@contextmanager
def _told(
    services: Services, connects: Connects, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Iterator[None]:
    started_ns = services.clock.now_ms() * 1_000_000
    token = _connecting.set(True)
    try:
        yield
    except Exception as raised:
        with services.failsafe(f"{connects.system}.connect"):
            facts = connect_facts(connects.system, connects.context, _where(connects, instance, args, kwargs))
            on_error(services, facts, raised, outcome_of_connect(raised), started_ns)
        raise
    finally:
        _connecting.reset(token)


def _where(connects: Connects, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Mapping[str, object]:
    try:
        return connects.where(instance, args, kwargs)
    except Exception:  # an address that the driver could not read either
        return {}


def _bare(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The driver's own function: the guard's connections get no watched cursors."""
    bare: Callable[..., Any] = getattr(wrapped, "__wrapped__", wrapped)
    return bare
