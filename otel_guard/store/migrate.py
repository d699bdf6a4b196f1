"""Bring the schema `otel_guard` up to date: numbered SQL files, a transaction each, never changed once applied."""

import hashlib
import re
from pathlib import Path
from typing import Final

from msgspec import Struct
from psycopg import Connection, Error, connect
from psycopg.errors import LockNotAvailable

from otel_guard.core.exceptions import MigrationError, StoreUnavailableError
from otel_guard.store.dsn import normalise, target
from otel_guard.store.errors import translated
from otel_guard.store.statements import FOLDER, statement

TRIES: Final = 10
_FILE_NAME: Final = re.compile(r"(\d{4})_\w+\.sql")


class Migration(Struct, frozen=True, kw_only=True):
    """One file of `sql/migrations`."""

    version: int
    name: str  # NNNN_name
    sha256: str
    sql: bytes


class MigrateResult(Struct, frozen=True):
    """The names applied now, and the version that the schema has."""

    applied: list[str]
    version: int


def migrate(dsn: str, *, folder: Path = FOLDER / "migrations") -> MigrateResult:
    """Apply what is missing; several may run at once.

    Raises:
        StoreUnavailableError: Postgres did not answer, or a table stayed locked.
        MigrationError: an applied migration was changed, or Postgres refused one.
    """
    where = target(dsn)
    known = migrations(folder)
    try:
        with connect(
            normalise(dsn), connect_timeout=3, application_name="otel_guard", prepare_threshold=None
        ) as database:
            applied = [migration.name for migration in known if _apply(database, migration, known)]
            version = _version(database)
    except LockNotAvailable as error:
        raise StoreUnavailableError(
            f"Postgres ({where}): a table stayed locked; run `otel-guard migrate` again"
        ) from error
    except Error as error:
        ours = translated(error, where)
        raise ours if isinstance(ours, StoreUnavailableError) else MigrationError(str(ours)) from error
    return MigrateResult(applied, version)


def migrations(folder: Path = FOLDER / "migrations") -> list[Migration]:
    """Read the files in the order of their numbers."""
    found = ((_FILE_NAME.fullmatch(path.name), path.read_bytes()) for path in sorted(folder.iterdir()))
    return [
        Migration(
            version=int(name[1]), name=name[0].removesuffix(".sql"), sha256=hashlib.sha256(sql).hexdigest(), sql=sql
        )
        for name, sql in found
        if name
    ]


def needed_version() -> int:
    """The version that the statements of this release need."""
    return migrations()[-1].version


def _apply(database: Connection, migration: Migration, known: list[Migration]) -> bool:
    for attempt in range(1, TRIES + 1):
        try:
            with database.transaction():
                return _apply_once(database, migration, known)
        except LockNotAvailable:
            if attempt == TRIES:
                raise
    raise AssertionError  # the last try returned or raised


def _apply_once(database: Connection, migration: Migration, known: list[Migration]) -> bool:
    database.execute(statement("migrate_begin"))
    database.execute(statement("migrate_prepare"))
    present = {version: (name, sha256) for version, name, sha256 in database.execute(statement("migrate_applied"))}
    _refuse_changed(present, known)
    if migration.version in present:
        return False
    database.execute(migration.sql)
    database.execute(statement("migrate_protect"))
    row = {"version": migration.version, "name": migration.name, "sha256": migration.sha256}
    database.execute(statement("migrate_record"), row)
    return True


def _refuse_changed(present: dict[int, tuple[str, str]], known: list[Migration]) -> None:
    for migration in known:
        name, sha256 = present.get(migration.version, (migration.name, migration.sha256))
        if sha256 != migration.sha256:
            raise MigrationError(
                f"migration {name} was changed after it was applied: install the otel-guard that applied it, "
                "or a newer one; nothing was changed"
            )


def _version(database: Connection) -> int:
    row = database.execute(statement("schema_version")).fetchone()
    return int(row[0]) if row and row[0] is not None else 0
