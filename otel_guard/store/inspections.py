"""Questions to a database that need not be the store: without our schema, on a connection of their own."""

from collections.abc import Mapping
from typing import Final

from psycopg import Error, connect

from otel_guard.core.exceptions import StoreUnavailableError
from otel_guard.runtime.deadline import socket_deadline
from otel_guard.runtime.suppression import sending
from otel_guard.store.ask import Row, ask
from otel_guard.store.dsn import normalise, target
from otel_guard.store.judging import INSPECTION_MS, Ask
from otel_guard.store.statements import statement

_CONNECT_S: Final = 2
_ANSWER_S: Final = 2.0
_LONGEST: Final = 200


def inspector(url: str) -> Ask:
    """Ask *url*, each question within a second.

    Raises:
        SettingsError: it is no Postgres URL.
        StoreUnavailableError: from the Ask: it did not answer, or refused.
    """
    where, dsn = target(url), normalise(url)

    def asked(name: str, parameters: Mapping[str, object]) -> list[Row]:
        try:
            with (
                sending(),
                connect(
                    dsn, connect_timeout=_CONNECT_S, application_name="otel_guard monitor", prepare_threshold=None
                ) as database,
                socket_deadline(database.fileno(), _ANSWER_S),
            ):
                database.execute(statement("begin"), {"statement_ms": INSPECTION_MS, "is_read_only": True})
                return ask(database, name, parameters)
        except (Error, OSError) as error:
            raise StoreUnavailableError(f"{where}: {' '.join(str(error).split())[:_LONGEST]}") from error

    return asked
