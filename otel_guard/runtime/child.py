"""Run a program as if it stood in our place: its files, its signals, its exit code."""

import os
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from otel_guard.core.exceptions import OtelGuardError

NOT_EXECUTABLE: Final = 126
NOT_FOUND: Final = 127
OF_SIGNAL: Final = 128
PASSED_ON: Final = frozenset(
    {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2}
)
_AWAITED: Final = PASSED_ON | {signal.SIGCHLD}
_OURS: Final = (signal.SIGPIPE, signal.SIGXFSZ)  # Python ignores them; the program shall not
_FROM_KERNEL: Final = 0x80  # si_code: not sent by a process


class NotStartedError(OtelGuardError):
    """The program could not be started."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def run(command: Sequence[str]) -> int:
    """Run *command* to its end, on our stdin, stdout, stderr; its exit code, 128 + n if a signal ended it.

    Signals sent to us are sent on; one of the terminal's reaches it without us. They stay blocked afterwards: what is
    left to do then must be short. For a process without other threads.

    Raises:
        NotStartedError: with the exit code that shells give for it, 127 or 126.
    """
    path = _find(command[0])
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
    signal.signal(signal.SIGCHLD, _nothing)  # where the default discards it though it is blocked
    try:
        pid = os.posix_spawn(path, list(command), os.environ, setsigmask=before, setsigdef=(*_OURS, signal.SIGCHLD))
    except OSError as error:
        raise NotStartedError(
            f"{command[0]} cannot be started: {error.strerror}: check its first line", NOT_EXECUTABLE
        ) from error
    return _ended(pid)


def _ended(pid: int) -> int:
    while True:
        number, is_sent = _next_signal()
        if number != signal.SIGCHLD:
            if is_sent:
                os.kill(pid, number)
            continue
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else OF_SIGNAL - code


def _next_signal() -> tuple[int, bool]:
    """Wait for one; whether a process sent it: what a terminal sends, it sends to all of the group."""
    if hasattr(signal, "sigwaitinfo"):
        told = signal.sigwaitinfo(_AWAITED)
        return told.si_signo, told.si_code != _FROM_KERNEL
    return signal.sigwait(_AWAITED), True


def _find(name: str) -> str:
    found = shutil.which(name)
    if found is not None:
        return found
    if os.sep in name and Path(name).exists():
        raise NotStartedError(f"{name} is not executable: write -- python {name}, or chmod +x", NOT_EXECUTABLE)
    raise NotStartedError(f"{name} is not found: check its spelling and PATH", NOT_FOUND)


def _nothing(*_: object) -> None:
    return None
