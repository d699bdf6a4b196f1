"""The same engine in memory as the unit tests have."""

from tests.unit.instrumentation.conftest import make_world, world

__all__ = ["make_world", "world"]
