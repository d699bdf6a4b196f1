"""What a database's error says, whichever driver raised it: its class, and its parts without values."""

import re
from typing import Final

from msgspec import Struct

_EXACT: Final = {
    "57014": "timeout",  # statement_timeout, or cancelled by hand
    "25P03": "timeout",  # idle_in_transaction_session_timeout
    "25P04": "timeout",  # transaction_timeout
    "42501": "auth",
    "3D000": "config",
    "3F000": "config",
    "25006": "config",  # read-only
    "55P03": "contention",
    "55006": "contention",
}
# Longest first.
_PREFIXES: Final = (
    ("57P", "connection"),
    ("08", "connection"),
    ("0A", "client"),
    ("21", "client"),
    ("22", "client"),
    ("23", "constraint"),
    ("25", "client"),
    ("26", "client"),
    ("28", "auth"),
    ("34", "client"),
    ("40", "contention"),
    ("42", "client"),
    ("53", "quota"),
    ("54", "client"),
    ("58", "server"),
    ("F0", "server"),
    ("XX", "server"),
)
_SQLITE: Final = (
    ("SQLITE_CONSTRAINT", "constraint"),
    ("SQLITE_BUSY", "contention"),
    ("SQLITE_LOCKED", "contention"),
    ("SQLITE_CANTOPEN", "connection"),
    ("SQLITE_PROTOCOL", "connection"),
    ("SQLITE_INTERRUPT", "timeout"),
    ("SQLITE_READONLY", "config"),
    ("SQLITE_AUTH", "auth"),
    ("SQLITE_PERM", "auth"),
    ("SQLITE_FULL", "quota"),
    ("SQLITE_NOMEM", "quota"),
    ("SQLITE_IOERR", "server"),
    ("SQLITE_CORRUPT", "server"),
    ("SQLITE_NOTADB", "server"),
    ("SQLITE_INTERNAL", "server"),
    ("SQLITE_FORMAT", "server"),
    ("SQLITE_", "client"),
)
# Fragments of exception names, most telling first.
_NAMES: Final = (
    ("sqlalchemyexctimeouterror", "quota"),  # the pool is used up
    ("pooltimeout", "quota"),
    ("toomany", "quota"),
    ("violation", "constraint"),
    ("integrity", "constraint"),
    ("deadlock", "contention"),
    ("serialization", "contention"),
    ("locknotavailable", "contention"),
    ("invalidpassword", "auth"),
    ("authorization", "auth"),
    ("authentication", "auth"),
    ("privilege", "auth"),
    ("permission", "auth"),
    ("invalidcatalogname", "config"),
    ("querycancel", "timeout"),
    ("timeout", "timeout"),
    ("cancel", "cancelled"),
    ("operational", "connection"),
    ("interface", "connection"),
    ("connect", "connection"),
    ("shutdown", "connection"),
    ("gaierror", "connection"),
    ("oserror", "connection"),
    ("brokenpipe", "connection"),
    ("sslerror", "connection"),
    ("undefined", "client"),
    ("syntax", "client"),
    ("programming", "client"),
    ("dataerror", "client"),
    ("notsupported", "client"),
    ("internal", "server"),
)
_SQLSTATE: Final = re.compile(r"[0-9A-Z]{5}")
_SQLITE_TEXT: Final = re.compile(r"\"[^\"]*\"?|'[^']*'?|`[^`]*`?")
_SQLITE_NAMES: Final = re.compile(r"(?:constraint failed|no such \w+|has no column named): ?(?P<name>[\w.]+)?")
_PARTS: Final = ("table_name", "column_name", "constraint_name")


class DatabaseFacts(Struct, frozen=True):
    """The parts of a database's error that hold no value of a row, but for *primary*."""

    sqlstate: str  # or SQLite's name of the error
    primary: str
    table: str | None = None
    column: str | None = None
    constraint: str | None = None


def error_class(sqlstate: str | None) -> str:
    """Row of the severity table (instrumentation.md, section 11) of a SQLSTATE, SQLite's name or an exception's.

    None, an error without SQLSTATE, is a lost or refused connection.
    """
    if not sqlstate:
        return "connection"
    if sqlstate.startswith("SQLITE_"):
        return next(found for prefix, found in _SQLITE if sqlstate.startswith(prefix))
    if _SQLSTATE.fullmatch(sqlstate) is not None:
        exact = _EXACT.get(sqlstate)
        return exact or next((found for prefix, found in _PREFIXES if sqlstate.startswith(prefix)), "unknown")
    flat = sqlstate.lower().replace(".", "").replace("_", "")
    return next((found for fragment, found in _NAMES if fragment in flat), "unknown")


def facts_of(exc: BaseException) -> DatabaseFacts | None:
    """Read an error of psycopg, psycopg2, asyncpg or sqlite3, or SQLAlchemy's copy of asyncpg's; else None."""
    name = _text(exc, "sqlite_errorname")
    if name is not None and name.startswith("SQLITE_"):
        return _sqlite(exc, name)
    sqlstate = _text(exc, "sqlstate") or _text(exc, "pgcode")
    if sqlstate is None or _SQLSTATE.fullmatch(sqlstate) is None:
        return None
    if (diagnosis := _get(exc, "diag")) is not None and _text(diagnosis, "message_primary") is not None:
        return _postgres(sqlstate, diagnosis, "message_primary")
    if _text(exc, "message") is not None:
        return _postgres(sqlstate, exc, "message")
    for link in ("driver_exception", "__cause__"):
        below = _get(exc, link)
        if isinstance(below, BaseException) and _text(below, "sqlstate") == sqlstate:
            return _postgres(sqlstate, below, "message")
    return DatabaseFacts(sqlstate, type(exc).__name__)


def code_of(exc: BaseException) -> str | None:
    """The SQLSTATE or SQLite's name of an error."""
    name = _text(exc, "sqlite_errorname")
    sqlstate = _text(exc, "sqlstate") or _text(exc, "pgcode")
    return name or (sqlstate if sqlstate is not None and _SQLSTATE.fullmatch(sqlstate) else None)


def _postgres(sqlstate: str, source: object, primary: str) -> DatabaseFacts:
    table, column, constraint = (_text(source, part) for part in _PARTS)
    # Errors that the driver made itself have no sentence of the server.
    return DatabaseFacts(sqlstate, _text(source, primary) or type(source).__name__, table, column, constraint)


def _sqlite(exc: BaseException, name: str) -> DatabaseFacts:
    arguments = _get(exc, "args")
    first = arguments[0] if isinstance(arguments, tuple) and arguments else ""
    text = first if isinstance(first, str) else ""
    table = column = None
    if (found := _SQLITE_NAMES.search(text)) is not None and name.startswith("SQLITE_CONSTRAINT"):
        table, _, column = (found["name"] or "").partition(".")
    return DatabaseFacts(name, _SQLITE_TEXT.sub("?", text), table or None, column or None)


def _text(source: object, name: str) -> str | None:
    value = _get(source, name)
    return value if isinstance(value, str) and value else None


def _get(source: object, name: str) -> object:
    try:
        return getattr(source, name, None)
    except Exception:  # a property of somebody's exception
        return None
