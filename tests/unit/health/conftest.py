"""A health on a clock that stands still."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.unit.health.world import World

MakeWorld = Callable[..., World]


@pytest.fixture
def make_world() -> Iterator[MakeWorld]:
    """Make a health of given settings; its hung checks end with the test."""
    made: list[World] = []

    def make(**options: Any) -> World:
        made.append(World(**options))
        return made[-1]

    yield make
    for world in made:
        world.release()


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """A health without a store."""
    return make_world()
