"""What the store holds of each trace, for those who compare it with what was injected."""

from collections.abc import Mapping

from otel_guard.store.ask import Row, ask
from otel_guard.store.queries import reading
from otel_guard.store.statements import statement


def rows_by_trace(dsn: str) -> Mapping[str, tuple[int, int]]:
    """Trace id to the number of errors (repeats summed) and of `system_metrics` rows; raises as `queries.reading`."""
    with reading(dsn) as database:
        rows = database.execute(statement("select_rows_by_trace")).fetchall()
    return {row["trace_id"]: (row["errors"], row["slow"]) for row in rows}


def told_incidents(dsn: str) -> list[Row]:
    """Every incident that fired, with `after_s` from its first bad row to the first message; raises as above."""
    with reading(dsn) as database:
        return ask(database, "select_told_incidents")
