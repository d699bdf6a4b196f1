"""Ask a database whether it answers, on a connection of its own."""

from typing import Final

from psycopg import Error, connect

from otel_guard.core.exceptions import StoreUnavailableError
from otel_guard.runtime.deadline import socket_deadline
from otel_guard.runtime.suppression import sending
from otel_guard.store.dsn import normalise, target
from otel_guard.store.statements import statement

CONNECT_S: Final = 1  # psycopg waits no less than 2 s; who runs the probe stops waiting before
ANSWER_S: Final = 1.0
_LONGEST: Final = 200


def select_one(url: str) -> None:
    """Connect to *url* and run `SELECT 1`.

    Raises:
        SettingsError: it is no Postgres URL.
        StoreUnavailableError: it did not answer, or refused.
    """
    where = target(url)
    with sending():
        try:
            with (
                connect(
                    normalise(url),
                    connect_timeout=CONNECT_S,
                    application_name="otel_guard health",
                    prepare_threshold=None,
                    autocommit=True,
                ) as database,
                socket_deadline(database.fileno(), ANSWER_S),
            ):
                database.execute(statement("health_probe"))
        except (Error, OSError) as error:
            raise StoreUnavailableError(f"{where}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """What libpq says, without its repetition of the address and its advice."""
    lines = str(error).splitlines() or [type(error).__name__]
    return " ".join(lines[0].rpartition("failed: ")[2].split())[:_LONGEST]
