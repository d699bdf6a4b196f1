"""Run one named statement on a connection; rows come as dicts."""

from collections.abc import Mapping
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from otel_guard.store.statements import statement

Database = Connection[Any]
Row = dict[str, Any]
Parameters = Mapping[str, object]


def ask(database: Database, name: str, parameters: Parameters | None = None) -> list[Row]:
    """The rows of `sql/<name>.sql`; none if it returns nothing."""
    with database.cursor(row_factory=dict_row) as cursor:
        cursor.execute(statement(name), parameters)
        return cursor.fetchall() if cursor.description else []


def run(database: Database, name: str, parameters: Parameters | None = None) -> int:
    """Run `sql/<name>.sql`; how many rows it touched."""
    return database.execute(statement(name), parameters).rowcount
