"""The list of watched libraries; the file of each is loaded when the library is."""

from collections import deque
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from threading import Lock
from types import ModuleType
from typing import Final

import wrapt
from msgspec import Struct

from otel_guard.instrumentation._engine import Engine, LibraryStatus


class Library(Struct, frozen=True):
    """One row: *trigger* is the module whose loading loads *file*, where the table is *table*."""

    name: str
    trigger: str
    file: str
    table: str
    is_opt_in: bool = False


_HERE: Final = "otel_guard.instrumentation."
LIBRARIES: Final = (
    Library("aiosmtplib", "aiosmtplib", _HERE + "aiosmtplib", "AIOSMTPLIB"),
    Library("anthropic", "anthropic", _HERE + "anthropic", "ANTHROPIC"),
    Library("asyncpg", "asyncpg", _HERE + "asyncpg", "ASYNCPG"),
    Library("botocore", "botocore", _HERE + "botocore", "BOTOCORE"),
    Library("celery", "celery", _HERE + "celery", "CELERY"),
    Library("django", "django", _HERE + "django", "DJANGO"),
    Library("fastapi", "fastapi", _HERE + "fastapi", "FASTAPI"),
    Library("flask", "flask", _HERE + "flask", "FLASK"),
    Library("google-genai", "google.genai", _HERE + "google_genai", "GOOGLE_GENAI"),
    Library("httpx", "httpx", _HERE + "httpx", "HTTPX"),
    Library("httpx2", "httpx2", _HERE + "httpx", "HTTPX2"),
    Library("openai", "openai", _HERE + "openai", "OPENAI"),
    Library("psycopg", "psycopg", _HERE + "psycopg", "PSYCOPG"),
    Library("psycopg2", "psycopg2", _HERE + "psycopg2", "PSYCOPG2"),
    Library("redis", "redis", _HERE + "redis", "REDIS"),
    Library("requests", "requests", _HERE + "requests", "REQUESTS"),
    Library("resend", "resend", _HERE + "resend", "RESEND"),
    Library("sendgrid", "sendgrid", _HERE + "sendgrid", "SENDGRID"),
    Library("smtplib", "smtplib", _HERE + "smtplib", "SMTPLIB"),
    Library("sqlalchemy", "sqlalchemy", _HERE + "sqlalchemy", "SQLALCHEMY"),
    Library("sqlite3", "sqlite3", _HERE + "sqlite3", "SQLITE3", is_opt_in=True),
    Library("starlette", "starlette.applications", _HERE + "starlette", "STARLETTE"),
    Library("stripe", "stripe", _HERE + "stripe", "STRIPE"),
)
# Entry points of the group `opentelemetry_instrumentor` whose work we start ourselves.
DISABLED_BY_US: Final = (
    "asyncpg",
    "botocore",
    "celery",
    "django",
    "fastapi",
    "flask",
    "google-genai",
    "httpx",
    "httpx2",
    "openai",
    "psycopg",
    "psycopg2",
    "redis",
    "requests",
    "sqlalchemy",
    "sqlite3",
    "starlette",
)


def install(engine: Engine, *, off: frozenset[str], on: frozenset[str]) -> list[LibraryStatus]:
    """Watch every library but those *off*, the opt-ins only if *on*; the rest is said in the answer."""
    known = {library.name for library in LIBRARIES}
    said = [LibraryStatus(name, "unknown", "no such library") for name in sorted((off | on) - known)]
    loader = _Loader(engine)
    for library in LIBRARIES:
        if library.name in off:
            said.append(LibraryStatus(library.name, "off", "instrument.off"))
        elif library.is_opt_in and library.name not in on:
            said.append(LibraryStatus(library.name, "off", "opt-in: instrument.on"))
        elif not _exists(library.trigger):
            said.append(LibraryStatus(library.name, "absent"))
        else:
            wrapt.register_post_import_hook(partial(loader.triggered, library), library.trigger)
    loaded = {status.name: status for status in engine.status()}
    waiting = known - loaded.keys() - {status.name for status in said}
    said += [LibraryStatus(name, "waiting", "not loaded yet") for name in waiting]
    return sorted([*said, *loaded.values()], key=lambda status: status.name)


def _exists(trigger: str) -> bool:
    try:
        return find_spec(trigger) is not None
    except (ImportError, ValueError):
        return False


class _Loader:
    """Loads one file at a time: contrib's httpx imports httpx2, whose hook would meet a half-loaded file."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: deque[Library] = deque()
        self._is_loading = False
        self._lock = Lock()  # guards _is_loading

    def triggered(self, library: Library, _module: ModuleType) -> None:
        """The library was loaded."""
        self._waiting.append(library)
        while self._claims():
            try:
                while self._waiting:
                    self._load(self._waiting.popleft())
            finally:
                self._is_loading = False

    def _claims(self) -> bool:
        with self._lock:
            if self._is_loading or not self._waiting:
                return False
            self._is_loading = True
            return True

    def _load(self, library: Library) -> None:
        # An exception here would end the application's import.
        with self._engine.services.failsafe(f"instrument {library.name}"):
            self._engine.install(getattr(import_module(library.file), library.table))
