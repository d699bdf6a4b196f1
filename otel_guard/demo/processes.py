"""Child processes: each with a log and a session of its own, ended by its id."""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from otel_guard.core.exceptions import OtelGuardError

STOP_LIMIT_S: Final = 15.0
CALL_LIMIT_S: Final = 60.0
# Settings of whoever starts the demo are not the demo's.
_FOREIGN: Final = (
    "OTEL_",
    "SENTRY_",
    "STRIPE_",
    "OPENAI_",
    "SMTP_",
    "SHOP_",
    "SLACK_",
    "MAKE_",
    "GUNICORN_",
    "PG",
    "DATABASE_URL",
)


class CommandError(OtelGuardError):
    """A command of the demo failed."""


class Output(msgspec.Struct, frozen=True):
    """How a command ended, and what it printed on stdout and stderr."""

    code: int
    text: str
    errors: str


class Child:
    """One process that runs until it is stopped."""

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path) -> None:
        self.log_path = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                command,
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """False once it has ended."""
        return self._process.poll() is None

    def children(self) -> list[int]:
        """Process ids of its own children."""
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        pairs = [line.split() for line in listed.splitlines()]
        return sorted(int(pid) for pid, parent in pairs if int(parent) == self.pid)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL for it and its children after a while; safe to call twice."""
        if not self.is_running:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            for pid in (*self.children(), self.pid):
                os.kill(pid, signal.SIGKILL)
            self._process.wait(STOP_LIMIT_S)


def call(command: Sequence[str], *, env: Mapping[str, str], cwd: Path | None = None) -> Output:
    """Run *command* to its end, at most a minute."""
    try:
        done = subprocess.run(
            command, env=dict(env), cwd=cwd, capture_output=True, text=True, timeout=CALL_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"`{' '.join(command)}` did not end in {CALL_LIMIT_S:.0f} s") from error
    return Output(done.returncode, done.stdout, done.stderr)


def environment(added: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without the settings of the parts of the demo, with *added*."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return {**kept, "PYTHONUNBUFFERED": "1", **added}


def script(name: str) -> str:
    """The path of a console script of this Python, such as `otel-guard`."""
    beside = Path(sysconfig.get_path("scripts")) / name
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        raise CommandError(f"{name} is not installed beside {sys.executable}: pip install 'otel-guard[demo]'")
    return found


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""
