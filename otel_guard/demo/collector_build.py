"""The Collector's binary, built once with the OpenTelemetry Collector Builder and kept in the user's cache."""

import fcntl
import hashlib
import os
import platform
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from otel_guard.runtime.clock import SYSTEM, Clock

BUILDER: Final = "go.opentelemetry.io/collector/cmd/builder@v0.161.0"
OLDEST_GO: Final = (1, 26)
LIMIT_S: Final = 1200.0
PROGRESS_EVERY_S: Final = 4.0

Say = Callable[[str], None]


def cached(manifest: bytes, go: str) -> Path:
    """Where the build of *manifest* by *go* on this platform is, or will be."""
    target = f"\n{go}\n{platform.system()}-{platform.machine()}".encode()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "otel_guard" / "collector" / hashlib.sha256(manifest + target).hexdigest() / "otelcol"


def go_version() -> str:
    """Go's version (`go1.26.8`) if it is new enough to build with, else nothing."""
    found = output(["go", "env", "GOVERSION"])
    numbers = re.match(r"go(\d+)\.(\d+)", found)
    return found.strip() if numbers and tuple(map(int, numbers.groups())) >= OLDEST_GO else ""


def built(manifest: bytes, target: Path, say: Say, clock: Clock = SYSTEM) -> Path | None:
    """Build *manifest* aside and rename it to *target*; one process at a time builds."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "lock").open("w") as lock, tempfile.TemporaryDirectory(dir=target.parent) as folder:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is building the Collector: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if target.exists():
            return target
        (Path(folder) / "builder.yaml").write_bytes(manifest)
        if not _compiled(Path(folder), say, clock):
            return None
        (Path(folder) / "build" / "otelcol").replace(target)
        return target


def output(command: list[str]) -> str:
    """Return what *command* prints, or nothing if it fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def tail(path: Path, lines: int) -> str:
    """Return the last *lines* lines of a log."""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def _compiled(folder: Path, say: Say, clock: Clock) -> bool:
    """Run the builder in *folder*, saying how it goes; what it started is ended with it."""
    say("building the Collector once, about 2 minutes (5 if nothing is downloaded yet)")
    log_path, began = folder / "log", clock.monotonic()
    command = ["go", "run", BUILDER, "--config", "builder.yaml"]
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True)
    try:
        while process.poll() is None and (elapsed := clock.monotonic() - began) < LIMIT_S:
            try:
                process.wait(PROGRESS_EVERY_S)
            except subprocess.TimeoutExpired:
                say(f"building the Collector: {elapsed + PROGRESS_EVERY_S:.0f} s, {_stage(log_path)}")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10.0)
    if process.returncode == 0:
        say(f"built the Collector in {clock.monotonic() - began:.0f} s")
        return True
    say(f"the Collector's build failed (Go needs its module proxy, see GOPROXY):\n{tail(log_path, 5)}")
    return False


def _stage(log_path: Path) -> str:
    last = tail(log_path, 1)
    steps = {"Compiling": "compiling", "Getting go modules": "resolving modules", "downloading": "downloading"}
    return next((step for mark, step in steps.items() if mark in last), "working")
