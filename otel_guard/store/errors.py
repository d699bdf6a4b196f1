"""What an answer of Postgres means for the records: wait, wait for a person, or refuse the record."""

from typing import Final

from psycopg import DataError, Error, ProgrammingError

from otel_guard.core.exceptions import OtelGuardError, SchemaError, StoreUnavailableError

_REFUSED_CLASSES: Final = ("22", "54")
_REFUSED: Final = "23514"
# SQLSTATE, or its class, to what a person must do.
_CURES: Final[dict[str, str]] = {
    "42P01": "run `otel-guard migrate`",
    "3F000": "run `otel-guard migrate`",
    "42703": "run `otel-guard migrate` of the newest otel-guard that uses this database",
    "42": "bring the schema otel_guard to what `otel-guard migrate` makes of it",
    "42501": "let the role in OTEL_GUARD_DSN own the schema otel_guard",
    "23502": "drop that NOT NULL, or give the column a default",
    "28": "correct role and password in OTEL_GUARD_DSN",
    "3D000": "create the database, or correct OTEL_GUARD_DSN",
}
# At connecting libpq gives no SQLSTATE, only its text.
_CONNECT_CURES: Final[tuple[tuple[str, str], ...]] = (
    ("password authentication failed", _CURES["28"]),
    ("no password supplied", _CURES["28"]),
    ("no pg_hba.conf entry", "let the role in OTEL_GUARD_DSN in, in pg_hba.conf"),
    ('database "', _CURES["3D000"]),
    ('role "', _CURES["28"]),
    ("too many", "raise the connection limit of server or role"),
    ("remaining connection slots", "raise max_connections"),
)


class RecordRefusedError(OtelGuardError):
    """Postgres can never take this record."""


def translated(error: Exception, where: str) -> OtelGuardError:
    """Turn *error* into ours; *where* is `host:port/database`.

    StoreUnavailableError: try again on a new connection (no SQLSTATE; 08, 40, 53, 57, 58, XX, 55P03, 25006; unknown ones).
    SchemaError: a person must act first (42, 23502, 28, 3D000, 3F000), the message says how.
    RecordRefusedError: a record is at fault (22, 54, 23514, DataError, UnicodeEncodeError).
    """
    if not isinstance(error, Error):
        return RecordRefusedError(f"{type(error).__name__}: {_first_line(error)}")
    state = error.sqlstate or ""
    reason = _first_line(error)
    if (cure := _CURES.get(state) or _CURES.get(state[:2])) is not None:
        return SchemaError(f"Postgres ({where}): {reason}: {cure}")
    if (
        state[:2] in _REFUSED_CLASSES
        or state == _REFUSED
        or (not state and isinstance(error, DataError | ProgrammingError))
    ):
        return RecordRefusedError(f"Postgres refused it: {reason}")
    cure = next((text for sign, text in _CONNECT_CURES if not state and sign in reason), "")
    return StoreUnavailableError(f"Postgres ({where}): {reason}" + (f": {cure}" if cure else ""))


def _first_line(error: BaseException) -> str:
    """The reason without the context lines; of several addresses tried, the last one's."""
    lines = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    text = next((line for line in reversed(lines) if line.startswith("- host")), lines[0])
    return text.rpartition("failed: ")[2] if "connection to server" in text else text.removeprefix("- ")
