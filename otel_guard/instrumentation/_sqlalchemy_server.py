"""What is the same in every call to one database: where it is, and what its statements are called."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from otel_guard.core import semconv, sql
from otel_guard.core.outcome import Attribute, Facts

_STATE: Final = "_otel_guard_server"  # in the `__dict__` of an engine's dialect
_KNOWN_STATEMENTS: Final = 1_000
_LONGEST_KNOWN: Final = 4096
_SYSTEMS: Final[dict[str, str]] = {"mssql": "microsoft.sql_server", "oracle": "oracle.db"}


class Server(Struct, frozen=True):
    """A database as one engine reaches it."""

    system: str
    place: Mapping[str, Attribute]
    pool: Mapping[str, Attribute]
    statements: dict[str, Facts]

    def plain(self, name: str) -> Facts:
        """A call that is no statement."""
        return Facts(name, {**self.place, semconv.GUARD_CONTEXT: "database"}, self.place)

    def named(self, operation: str) -> Facts:
        """A statement without text, such as `COMMIT`."""
        named = {**self.place, semconv.DB_OPERATION_NAME: operation}
        attributes = {**named, semconv.DB_QUERY_SUMMARY: operation, semconv.GUARD_CONTEXT: "database"}
        return Facts(operation, attributes, named)

    def described(self, statement: str) -> Facts:
        """Name and attributes of *statement*; SQLAlchemy's own cache makes the same ones again and again."""
        found = self.statements.get(statement)
        if found is None:
            found = self._read(statement)
            if len(statement) <= _LONGEST_KNOWN:
                if len(self.statements) >= _KNOWN_STATEMENTS:
                    self.statements.clear()
                self.statements[statement] = found
        return found

    def _read(self, statement: str) -> Facts:
        digest = sql.digest(statement, self.system)
        named = {**self.place, semconv.DB_OPERATION_NAME: digest.summary.partition(" ")[0]}
        attributes = {
            **named,
            semconv.DB_QUERY_TEXT: digest.text,
            semconv.DB_QUERY_SUMMARY: digest.summary,
            semconv.GUARD_CONTEXT: "database",
        }
        return Facts(digest.summary, attributes, named)


def known(dialect: Any) -> Server | None:
    """The server of *dialect*, if it was seen."""
    found: Server | None = dialect.__dict__.get(_STATE)
    return found


def keep(dialect: Any, server: Server) -> Server:
    """Remember *server*; of two threads that are first, the same one wins for both."""
    kept: Server = dialect.__dict__.setdefault(_STATE, server)
    return kept


def forget(dialect: Any) -> None:
    """Remember nothing of *dialect*."""
    dialect.__dict__.pop(_STATE, None)


def server_of(engine: Any) -> Server:
    """Read an engine's URL; its user and password are not looked at."""
    url, name = engine.url, engine.dialect.name
    host = url.host or url.query.get("host")
    system = _SYSTEMS.get(name, name)
    found: dict[str, Attribute | None] = {
        semconv.DB_SYSTEM_NAME: system,
        semconv.DB_NAMESPACE: url.database,
        semconv.SERVER_ADDRESS: host if isinstance(host, str) else None,
        semconv.SERVER_PORT: url.port,
    }
    place = {key: value for key, value in found.items() if value is not None}
    pool = ":".join(str(place[key]) for key in (semconv.SERVER_ADDRESS, semconv.SERVER_PORT) if key in place)
    label = f"{pool}/{url.database or ''}"
    return Server(system, place, {**place, semconv.DB_CLIENT_CONNECTION_POOL_NAME: label}, {})
