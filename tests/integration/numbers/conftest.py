"""A world in a fresh database, and a transaction on it."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from tests.integration.numbers.world import World


@pytest.fixture
def world(query: Callable[..., list[dict[str, object]]]) -> World:
    return World(query)


@pytest.fixture
def database(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(dsn) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        yield connection
