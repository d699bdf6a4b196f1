"""The same health as the unit tests have."""

from tests.unit.health.conftest import make_world, world

__all__ = ["make_world", "world"]
