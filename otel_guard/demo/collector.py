"""The Collector's binary, found or built, and one running Collector on free loopback ports."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from otel_guard.core.exceptions import OtelGuardError
from otel_guard.demo import collector_build
from otel_guard.runtime.clock import SYSTEM, Clock

READY_LIMIT_S: Final = 30.0
PORTS: Final = ("grpc", "http", "health", "prometheus", "telemetry")

Say = Callable[[str], None]


class CollectorError(OtelGuardError):
    """The Collector did not start."""


class RunningCollector:
    """One started Collector; `otlp_port` takes OTLP over HTTP, `grpc_port` over gRPC."""

    def __init__(self, process: "subprocess.Popen[bytes]", ports: Mapping[str, int], log_path: Path) -> None:
        self._process = process
        self.otlp_port = ports["http"]
        self.grpc_port = ports["grpc"]
        self.health_port = ports["health"]
        self.prometheus_port = ports["prometheus"]
        self.telemetry_port = ports["telemetry"]
        self.log_path = log_path

    @property
    def endpoint(self) -> str:
        """The value of `OTEL_EXPORTER_OTLP_ENDPOINT`."""
        return f"http://127.0.0.1:{self.otlp_port}"

    @property
    def pid(self) -> int:
        """The Collector's own process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """False once the process has ended."""
        return self._process.poll() is None

    def stop(self, timeout_s: float = 10.0) -> int:
        """SIGTERM: it decides open traces, then ends; SIGKILL after *timeout_s*. The exit code; safe to call twice."""
        if self.is_running:
            self._process.terminate()
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """SIGKILL, and the exit code."""
        self._process.kill()
        return self._process.wait(10.0)


def files() -> Path:
    """The folder with `otel-config.yaml`, `builder.yaml`, `demo-overlay.yaml`: the wheel's copy, else the checkout's."""
    here = Path(__file__).resolve()
    for folder in (here.parent / "collector_files", here.parents[2] / "collector"):
        if (folder / "otel-config.yaml").is_file() and (folder / "builder.yaml").is_file():
            return folder
    raise CollectorError("collector/otel-config.yaml is missing: reinstall otel-guard, or run from a checkout")


def find(build: bool, say: Say) -> Path | None:
    """The binary of *OTEL_GUARD_COLLECTOR*, the cache, a build (if *build*), or `PATH`; None after saying why not."""
    if named := os.environ.get("OTEL_GUARD_COLLECTOR"):
        return _named(Path(named), say)
    manifest = (files() / "builder.yaml").read_bytes()
    go = collector_build.go_version()
    cached = collector_build.cached(manifest, go)
    if os.access(cached, os.X_OK):
        return cached
    if build and go and (binary := _built(manifest, cached, say)):
        return binary
    if build and not go:
        say("no Go 1.26 or newer on PATH, so none can be built: install Go, or set OTEL_GUARD_COLLECTOR to a binary")
    return _on_path(manifest.decode(), say)


def start(
    binary: Path,
    config_path: Path,
    *,
    env: Mapping[str, str],
    log_path: Path,
    overlays: Sequence[Path | str] = (),
    clock: Clock = SYSTEM,
) -> RunningCollector:
    """Start *binary* with *config_path*, then each of *overlays* (a file or `yaml:` text), and wait until it is healthy.

    *env* is added to this process's environment without its `OTEL_*` variables. All ports are free ones of loopback.
    """
    for _ in range(3):  # a free port can be taken by another process before the Collector binds it
        ports = dict(zip(PORTS, _free_ports(len(PORTS)), strict=True))
        process = _spawn(binary, [config_path, *overlays, _port_overlay(ports)], env, log_path)
        if _became_healthy(process, ports["health"], clock):
            return RunningCollector(process, ports, log_path)
        process.kill()
        process.wait(10.0)
        if "address already in use" not in collector_build.tail(log_path, 40):
            break
    raise CollectorError(
        f"the Collector did not start, see {log_path}; it ended with:\n{collector_build.tail(log_path, 6)}"
    )


def main() -> int:
    """Print the binary's path, progress on stderr; 1 and the reason if there is none."""
    try:
        binary = find(build=True, say=_say)
    except CollectorError as error:
        _say(str(error))
        return 1
    if binary is None:
        return 1
    sys.stdout.write(f"{binary}\n")
    return 0


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _built(manifest: bytes, target: Path, say: Say) -> Path | None:
    try:
        return collector_build.built(manifest, target, say)
    except OSError as error:
        say(f"the Collector cannot be built into {target.parent}: {error}; set XDG_CACHE_HOME to a folder for it")
        return None


def _named(path: Path, say: Say) -> Path | None:
    if path.is_file() and os.access(path, os.X_OK):
        return path.resolve()
    say(f"OTEL_GUARD_COLLECTOR is {path}, which is no executable file: name an otelcol binary, or unset it")
    return None


def _on_path(manifest: str, say: Say) -> Path | None:
    """A stock Collector that has every component of *manifest*; for each that hasn't, what it lacks is said."""
    needed = re.findall(r"^\s+- gomod: (\S+) v", manifest, re.MULTILINE)
    for name in ("otelcol-contrib", "otelcol"):
        if not (found := shutil.which(name)):
            continue
        has = set(re.findall(r"module: (\S+) v", collector_build.output([found, "components"])))
        if not (lacks := sorted(set(needed) - has)):
            return Path(found)
        say(f"{found} lacks {', '.join(module.rsplit('/', 1)[1] for module in lacks)}")
    say("no Collector: run `python -m otel_guard.demo.collector` to build one, or set OTEL_GUARD_COLLECTOR to a binary")
    return None


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _port_overlay(ports: Mapping[str, int]) -> str:
    at = {name: {"endpoint": f"127.0.0.1:{port}"} for name, port in ports.items()}
    scraped = {"host": "127.0.0.1", "port": ports["telemetry"], "without_scope_info": True}
    scraped |= {"without_type_suffix": False, "without_units": False}  # a list replaces the file's whole list
    overlay = {
        "receivers": {"otlp": {"protocols": {"grpc": at["grpc"], "http": at["http"]}}},
        "exporters": {"prometheus": at["prometheus"]},
        "extensions": {"health_check": at["health"]},
        "service": {"telemetry": {"metrics": {"readers": [{"pull": {"exporter": {"prometheus": scraped}}}]}}},
    }
    return f"yaml:{json.dumps(overlay)}"


def _spawn(
    binary: Path, configs: Sequence[Path | str], env: Mapping[str, str], log_path: Path
) -> "subprocess.Popen[bytes]":
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
    command = [str(binary), *(f"--config={config}" for config in configs)]
    with log_path.open("wb") as log:
        return subprocess.Popen(command, env=inherited | dict(env), stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _became_healthy(process: "subprocess.Popen[bytes]", port: int, clock: Clock) -> bool:
    until = clock.monotonic() + READY_LIMIT_S
    while process.poll() is None and clock.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2.0):
                return process.poll() is None
        except (urllib.error.URLError, OSError):
            clock.sleep(0.05)
    return False


if __name__ == "__main__":
    sys.exit(main())
