from typing import Any

import pytest
import wrapt

from otel_guard.instrumentation._engine import (
    SYNC,
    Adopt,
    LibraryStatus,
    Target,
)
from tests.unit.instrumentation.conftest import MakeWorld, World
from tests.unit.instrumentation.library import LIBRARY, describe, table, target


def test_uninstrument_restores_and_twice_is_once(world: World, client: Any) -> None:
    kind = type(client)
    original = vars(kind)["call"]
    world.engine.install(table(target("call")))
    world.engine.install(table(target("call")))

    client.call()
    assert len(world.spans()) == 1
    world.engine.uninstrument("lib")
    world.engine.uninstrument("lib")

    assert vars(kind)["call"] is original
    client.call()
    assert len(world.spans()) == 1


def test_under_a_foreign_wrapper_ours_passes_through(world: World, client: Any) -> None:
    world.engine.install(table(target("call")))
    kind = type(client)
    foreign = wrapt.FunctionWrapper(vars(kind)["call"], lambda wrapped, _, args, kwargs: (wrapped(*args, **kwargs),))
    kind.call = foreign

    world.engine.uninstrument()

    assert client.call(1) == (1,)
    assert vars(kind)["call"] is foreign
    assert world.spans() == []


@pytest.mark.parametrize(
    ("lost", "status", "is_wrapped"),
    [
        (target("gone"), "unsupported", False),
        (target("call", parameters=("gone",)), "unsupported", False),
        (target("gone", optional=True), "partial", True),
        (target("outer"), "watched", True),
    ],
)
def test_targets_are_probed_by_name_and_parameters(
    world: World, client: Any, lost: Target, status: str, *, is_wrapped: bool
) -> None:
    world.engine.install(table(target("retried"), lost))

    assert [one.status for one in world.engine.status()] == [status]
    assert isinstance(vars(type(client))["retried"], wrapt.FunctionWrapper) is is_wrapped


def test_a_library_is_waited_for(world: World) -> None:
    world.engine.install(table(Target(module="otel_guard_no_such", name="f", kind=SYNC, describe=describe)))

    assert world.engine.status() == (LibraryStatus("lib", "waiting", "not loaded yet"),)


@pytest.mark.usefixtures("client")
def test_a_fault_while_adopting_does_not_break_the_import(make_world: MakeWorld) -> None:
    def adopt(_services: Any) -> None:
        raise ZeroDivisionError

    world = make_world(strict=False)
    world.engine.install(table(Adopt(module=LIBRARY, adopt=adopt)))

    assert [one.status for one in world.engine.status()] == ["failed"]
