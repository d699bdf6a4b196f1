"""The address of the audit Postgres: made plain for libpq, named without its secrets."""

import re
from typing import Final

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo

from otel_guard.core.exceptions import SettingsError

_SCHEME: Final = re.compile(r"\s*postgres(?:ql)?(?:\+\w+)?://", re.IGNORECASE)
# libpq quotes in its messages what it could not read, a password too: only a parameter's name is taken over.
_UNKNOWN_PARAMETER: Final = re.compile(r'invalid URI query parameter: "(\w+)"')


def normalise(dsn: str) -> str:
    """Return *dsn* as libpq takes it: `postgres://` and SQLAlchemy's `postgresql+driver://` become `postgresql://`.

    Raises:
        SettingsError: it is no Postgres URL; the message never shows it.
    """
    if not _SCHEME.match(dsn):
        raise SettingsError("OTEL_GUARD_DSN is not a Postgres URL: write postgresql://user@host:5432/database")
    plain = _SCHEME.sub("postgresql://", dsn.strip(), count=1)
    try:
        conninfo_to_dict(plain)
    except ProgrammingError as error:
        unknown = _UNKNOWN_PARAMETER.search(str(error))
        if unknown:
            raise SettingsError(
                f"OTEL_GUARD_DSN has the parameter {unknown[1]}, which Postgres does not know: remove it"
            ) from None
        raise SettingsError(
            "OTEL_GUARD_DSN cannot be read: write postgresql://user:password@host:5432/database, "
            "with special characters of the password as %XX"
        ) from None
    return plain


def target(dsn: str) -> str:
    """Return `host:port/database` as libpq resolves *dsn*, its environment variables included."""
    given = {key: str(value) for key, value in conninfo_to_dict(normalise(dsn)).items() if value not in (None, "")}
    values = _defaults() | given
    host = given.get("host") or given.get("hostaddr") or values.get("host") or values.get("hostaddr") or "localhost"
    database = values.get("dbname") or values.get("user", "")
    return f"{host}:{values.get('port') or '5432'}/{database}"


def _defaults() -> dict[str, str]:
    options = ((option.keyword.decode(), option.val) for option in Conninfo.get_defaults())
    return {keyword: value.decode() for keyword, value in options if value}
