"""Find a function by its dotted name, wrap it where it is, and put it back."""

import inspect
from collections.abc import Iterable
from typing import Any, Final

import wrapt
from msgspec import Struct

from otel_guard.instrumentation._engine_kinds import Wrapper, parameters

MISSING: Final = object()


class Place(Struct, frozen=True):
    """An attribute of a module or class, and what it was."""

    owner: Any
    name: str
    original: Any
    is_own: bool  # not inherited


class Patch(Struct, frozen=True):
    """A place that holds our wrapper."""

    place: Place
    wrapper: Any


def find(module: Any, dotted: str, needed: Iterable[str] = ()) -> Place | None:
    """The place of *dotted* in *module*; None if it is not there or lacks a *needed* parameter."""
    *path, name = dotted.split(".")
    owner = module
    for part in path:
        owner = getattr(owner, part, MISSING)
        if owner is MISSING:
            return None
    original = inspect.getattr_static(owner, name, MISSING)
    if original is MISSING or not set(needed) <= set(parameters(original)):
        return None
    return Place(owner, name, original, name in vars(owner))


def wrap(place: Place, wrapper: Wrapper) -> Patch:
    """Put *wrapper* over the function at *place*."""
    outer = wrapt.FunctionWrapper(place.original, wrapper)
    setattr(place.owner, place.name, outer)
    return Patch(place, outer)


def unwrap(patch: Patch) -> bool:
    """Put the original back; False if somebody wrapped ours since: then it stays and passes calls through."""
    place = patch.place
    if vars(place.owner).get(place.name) is not patch.wrapper:
        return False
    if place.is_own:
        setattr(place.owner, place.name, place.original)
    else:
        delattr(place.owner, place.name)
    return True
