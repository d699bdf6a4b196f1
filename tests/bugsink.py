"""A real Sentry-protocol server for tests: Bugsink in an environment and a process of its own."""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
import venv
from collections.abc import Iterator
from pathlib import Path
from socket import socket
from typing import Any

import pytest

READY_S = 30.0
PROJECT = """
from projects.models import Project
print("DSN-PARTS", *(lambda p: (p.id, p.sentry_key.hex))(Project.objects.create(name="otel-guard")))
"""
# Everything in the request: no worker process, nothing outside the folder.
SETTINGS = """
DATABASES["default"]["NAME"] = {folder!r} + "/db.sqlite3"
DATABASES["snappea"]["NAME"] = {folder!r} + "/snappea.sqlite3"
BUGSINK["INGEST_STORE_BASE_DIR"] = {folder!r} + "/ingestion"
BUGSINK["PHONEHOME"] = False
"""


class Bugsink:
    """A running server with one project; events are read from its own database."""

    def __init__(self, folder: Path, environment: Path) -> None:
        self._folder = folder
        self._bin = environment / "bin"
        self._variables = {**_without_pythonpath(), "DJANGO_SETTINGS_MODULE": "bugsink_conf"}
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        self.project = ""
        self.key = ""

    @property
    def dsn(self) -> str:
        """Where events go."""
        return f"http://{self.key}@127.0.0.1:{self.port}/{self.project}"

    def start(self) -> None:
        """Make configuration, databases and project; answer requests."""
        self._run("bugsink-create-conf", "--template", "local", "--host", "127.0.0.1", "--port", str(self.port))
        with (self._folder / "bugsink_conf.py").open("a") as settings:
            settings.write(SETTINGS.format(folder=str(self._folder)))
        self._run("bugsink-manage", "migrate", "--verbosity", "0")
        self._run("bugsink-manage", "migrate", "--database=snappea", "--verbosity", "0")
        said = self._run("bugsink-manage", "shell", "-c", PROJECT)
        self.project, self.key = said.partition("DSN-PARTS ")[2].split()[:2]
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "gunicorn", "--bind", f"127.0.0.1:{self.port}", "--workers", "1", "bugsink.wsgi"],
                cwd=self._folder,
                env=self._variables,
                stdout=log,
                stderr=log,
            )
        self._wait()

    def stop(self) -> None:
        """End the server."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(15)
            self._process = None

    def events(self) -> list[dict[str, Any]]:
        """All stored events, oldest first, as the server keeps them."""
        with contextlib.closing(sqlite3.connect(self._folder / "db.sqlite3", timeout=10)) as database:
            rows = database.execute("SELECT data FROM events_event ORDER BY ingested_at").fetchall()
        return [json.loads(data) for (data,) in rows]

    def event(self, event_id: str) -> dict[str, Any] | None:
        """The event of this id; 32 hex digits or a UUID's text form."""
        wanted = uuid.UUID(event_id).hex
        return next((event for event in self.events() if event["event_id"] == wanted), None)

    def _run(self, command: str, *arguments: str) -> str:
        done = subprocess.run(
            [self._bin / command, *arguments],
            cwd=self._folder,
            env=self._variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{command} {arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def _wait(self) -> None:
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            assert self._process is not None
            assert self._process.poll() is None, (self._folder / "server.log").read_text()
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/ready", timeout=2).close()
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.1)
        raise AssertionError("Bugsink did not answer: " + (self._folder / "server.log").read_text())


def environment() -> Path:
    """The folder of Bugsink's own environment; made once, kept in the cache.

    Raises:
        OSError: it could not be installed.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "otel_guard" / "bugsink-venv"
    if (folder / "bin" / "bugsink-manage").exists() and (folder / ".complete").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    print("installing Bugsink (once) …", file=sys.stderr)  # noqa: T201
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Scripts hold the folder's path, so it is made in place and marked when complete.
    venv.create(folder, with_pip=True)
    done = subprocess.run(
        [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "bugsink"],
        env=_without_pythonpath(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise OSError(f"Bugsink could not be installed: {done.stderr.strip()[-500:]}")
    (folder / ".complete").touch()
    return folder


@pytest.fixture(scope="session")
def bugsink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bugsink]:
    """A running Bugsink; where it can't be installed the tests that need it are skipped, but not in CI."""
    try:
        found = environment()
    except OSError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    server = Bugsink(tmp_path_factory.mktemp("bugsink"), found)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _without_pythonpath() -> dict[str, str]:
    hidden = ("PYTHON", "OTEL", "SENTRY_", "DJANGO_")
    return {name: value for name, value in os.environ.items() if not name.startswith(hidden)}


def _free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
