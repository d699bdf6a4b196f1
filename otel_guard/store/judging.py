"""What rules ask of Postgres: each question in a short transaction that only reads."""

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from psycopg import Error
from psycopg.rows import tuple_row

from otel_guard.core.exceptions import OtelGuardError
from otel_guard.store.ask import Database, Row, ask
from otel_guard.store.lane import Lane

QUESTION_MS: Final = 5000
INSPECTION_MS: Final = 1000
NUMBER: Final = "number"  # the question that is a user's own statement: `query` -> one row, `value`
CANCELLED: Final = "57014"
_AWAY: Final = frozenset({"08", "53", "57", "58"})  # classes of SQLSTATE: not the query's fault
_LONGEST: Final = 300
Ask = Callable[[str, Mapping[str, object]], list[Row]]


class RuleQueryError(OtelGuardError):
    """The query of a rule did not give one number."""


def asker(lane: Lane, *, statement_ms: int = QUESTION_MS) -> Ask:
    """Ask `sql/<name>.sql`, or a rule's own `query`, within *statement_ms*; raises as `Lane.transaction`."""

    def asked(name: str, parameters: Mapping[str, object]) -> list[Row]:
        if name == NUMBER:
            return [{"value": number(lane, str(parameters["query"]), statement_ms=statement_ms)}]
        with lane.transaction(statement_ms=statement_ms, is_read_only=True) as database:
            ask(database, "judge_begin")
            return ask(database, name, parameters)

    return asked


def number(lane: Lane, query: str, *, statement_ms: int = QUESTION_MS) -> float:
    """The one number of *query*, which may only read.

    Raises:
        RuleQueryError: it is refused, takes too long, or gives something else; the message says what to do.
        StoreUnavailableError: Postgres does not answer.
    """
    with lane.transaction(statement_ms=statement_ms, is_read_only=True) as database:
        given, why = _asked(database, query, statement_ms)
    if why:
        raise RuleQueryError(why)
    return _number(given)


def _asked(database: Database, query: str, statement_ms: int) -> tuple[list[tuple[Any, ...]], str]:
    """Rows, or why there are none; the transaction is of no further use then, and is rolled back by its end."""
    try:
        # DECLARE takes one statement that reads, no `; COMMIT; …`, and not all its rows are fetched.
        with database.cursor(name="otel_guard_rule", row_factory=tuple_row) as cursor:
            cursor.execute(query.encode())
            return cursor.fetchmany(2), ""
    except Error as error:
        if error.sqlstate == CANCELLED:
            return [], f"the query took more than {statement_ms / 1000:g} s: give it an index, or ask for less"
        if error.sqlstate is None or error.sqlstate[:2] in _AWAY:
            raise
        return [], f"the query failed: {' '.join(str(error).split())[:_LONGEST]}"


def _number(rows: list[tuple[Any, ...]]) -> float:
    if len(rows) != 1 or len(rows[0]) != 1:
        shape = "no row" if not rows else "several rows" if len(rows) > 1 else f"{len(rows[0])} columns"
        raise RuleQueryError(f"the query gives {shape}: select one number, such as count(*)")
    value = rows[0][0]
    if value is None:
        raise RuleQueryError("the query gives NULL: write coalesce(…, 0)")
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise RuleQueryError(
            f"the query gives a {type(value).__name__}, not a number: select one number, such as count(*)"
        )
    if not math.isfinite(value):
        raise RuleQueryError(f"the query gives {value}, which is no number to compare")
    return float(value)
