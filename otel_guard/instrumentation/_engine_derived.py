"""Classes derived from those of a driver: their objects stay the driver's own, unlike proxies, and what they run is watched."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

Execution = Callable[..., Any]  # contrib's: (cursor, function, *its arguments)


class Derived:
    """The derived class of each class, made once."""

    def __init__(self, make: Callable[[Any], type]) -> None:
        self._make = make
        self._classes: dict[type, type] = {}

    def __call__(self, base: Any) -> Any:
        """The derived class of *base*; what is no class stays as it is."""
        if not isinstance(base, type):
            return base
        if base not in self._classes:
            self._classes[base] = self._make(base)
        return self._classes[base]


def watched_methods(base: Any, names: Iterable[str], execution: Execution) -> dict[str, Any]:
    """Each of *names* of *base*, run as *execution* runs statements."""
    return {name: _watched(getattr(base, name), execution) for name in names}


def subclass(bases: tuple[Any, ...], methods: dict[str, Any]) -> type:
    """A class that looks like the first of *bases*."""
    first = bases[0]
    looks = {"__module__": first.__module__, "__qualname__": first.__qualname__, "__doc__": first.__doc__}
    return type(first.__name__, bases, {**looks, **methods})


def _watched(function: Callable[..., Any], execution: Execution) -> Callable[..., Any]:
    def method(made: Any, *args: Any, **kwargs: Any) -> Any:
        return execution(made, partial(function, made), *args, **kwargs)

    return method
