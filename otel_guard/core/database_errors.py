"""What a database's error says in fields: its SQLSTATE, the row of the severity table, and the names in it."""

import re
from typing import Final

from msgspec import Struct

UNKNOWN: Final = "unknown"
_SQLSTATE: Final = re.compile(r"[0-9A-Z]{5}")
# The longest beginning that fits wins (instrumentation.md, section 11).
_BY_SQLSTATE: Final[dict[str, str]] = {
    "08": "connection",
    "57P0": "connection",
    "57014": "timeout",
    "25P03": "timeout",
    "25P04": "timeout",
    "XX": "server",
    "58": "server",
    "F0": "server",
    "28": "auth",
    "42501": "auth",
    "53": "quota",
    "3D000": "config",
    "3F000": "config",
    "25006": "config",
    "42": "client",
    "22": "client",
    "54": "client",
    "23": "constraint",
    "40001": "contention",
    "40P01": "contention",
    "55P03": "contention",
}
_BY_SQLITE: Final[dict[str, str]] = {
    "BUSY": "contention",
    "LOCKED": "contention",
    "CONSTRAINT": "constraint",
    "ERROR": "client",
    "MISMATCH": "client",
    "MISUSE": "client",
    "RANGE": "client",
    "TOOBIG": "client",
    "CANTOPEN": "connection",
    "FULL": "quota",
    "NOMEM": "quota",
    "CORRUPT": "server",
    "NOTADB": "server",
    "INTERNAL": "server",
    "IOERR": "server",
    "READONLY": "config",
    "AUTH": "auth",
    "PERM": "auth",
    "INTERRUPT": "timeout",
}
# Parts of class names in lower case, the most telling first.
_BY_NAME: Final = (
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
    ("connect", "connection"),
    ("shutdown", "connection"),
    ("gaierror", "connection"),
    ("brokenpipe", "connection"),
    ("oserror", "connection"),
    ("operationalerror", "connection"),
    ("interfaceerror", "connection"),
    ("internal", "server"),
    ("undefined", "client"),
    ("syntax", "client"),
    ("programming", "client"),
    ("dataerror", "client"),
    ("notsupported", "client"),
)


class DatabaseFacts(Struct, frozen=True, kw_only=True):
    """The fields of a driver's error; *primary* is the server's sentence without detail, hint and context."""

    sqlstate: str | None
    primary: str
    table: str | None = None
    column: str | None = None
    constraint: str | None = None


def error_class(code: str | None) -> str:
    """The row of the severity table, by a SQLSTATE, SQLite's name of an error, or a class name."""
    if not code:
        return UNKNOWN
    if _SQLSTATE.fullmatch(code):
        return next((_BY_SQLSTATE[code[:n]] for n in (5, 4, 2) if code[:n] in _BY_SQLSTATE), UNKNOWN)
    if code.startswith("SQLITE_"):
        return _BY_SQLITE.get(code.split("_")[1], UNKNOWN)
    flat = code.rpartition(".")[2].lower().replace("_", "")
    return next((found for part, found in _BY_NAME if part in flat), UNKNOWN)


def sqlstate_of(exc: BaseException) -> str | None:
    """The SQLSTATE of a driver's error (psycopg, asyncpg, psycopg2), None if it carries none."""
    code = _text(exc, "sqlstate") or _text(exc, "pgcode")
    return code if code is not None and _SQLSTATE.fullmatch(code) else None


def facts_of(exc: BaseException) -> DatabaseFacts | None:
    """The fields of *exc*; None where it is no driver's error, or has no SQLSTATE or no fields."""
    sqlstate = sqlstate_of(exc)
    if sqlstate is None:
        return None
    # SQLAlchemy's adapter of asyncpg copies the SQLSTATE alone; its cause has the fields.
    for source in (exc, exc.__cause__):
        fields = _field(source, "diag") or source
        primary = _text(fields, "message_primary") or _text(fields, "message")
        if primary:
            return DatabaseFacts(
                sqlstate=sqlstate,
                primary=primary,
                table=_text(fields, "table_name"),
                column=_text(fields, "column_name"),
                constraint=_text(fields, "constraint_name"),
            )
    return None


def _text(source: object, name: str) -> str | None:
    value = _field(source, name)
    return value if isinstance(value, str) else None


def _field(source: object, name: str) -> object:
    try:
        return getattr(source, name, None)
    except Exception:  # an application's property may raise anything
        return None
