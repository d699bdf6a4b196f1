"""The whole demo, short: nothing lost, nothing doubled, nothing left running."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from otel_guard.demo.faults import ALL
from otel_guard.demo.processes import script
from otel_guard.runtime.clock import SYSTEM

LIMIT_S = 280.0


def environment(home: Path) -> Mapping[str, str]:
    """A newcomer's: the parts' own settings are not set, and the home folder is empty but for the cache."""
    foreign = ("OTEL_", "SENTRY_", "STRIPE_", "OPENAI_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    cache = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    home.mkdir()
    return {**kept, "HOME": str(home), "XDG_CACHE_HOME": cache, "COLUMNS": "100"}


def family(parent: int) -> dict[int, str]:
    """Process ids and commands of all below *parent*."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    found: dict[int, str] = {}
    wanted = {parent}
    while wanted:
        new = {int(pid): args for pid, ppid, args in rows if int(ppid) in wanted and int(pid) not in found}
        found.update(new)
        wanted = set(new)
    return found


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_every_failure_is_found_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = subprocess.run(
        [script("otel-guard"), "demo", "--json", "--no-build", "--seconds", "20", "--folder", str(tmp_path / "demo")],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )

    summary: dict[str, Any] = json.loads(done.stdout)
    assert [(row["fault"], row["problems"]) for row in summary["faults"]] == [(fault.name, []) for fault in ALL]
    assert (summary["lost"], summary["doubled"], summary["left_in_journal"], done.returncode) == (0, 0, 0, 0)
    assert summary["schema"] == "otel_guard.demo.v1"
    assert json.loads((tmp_path / "demo" / "summary.json").read_text()) == summary
    assert {
        path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file() and "go" not in path.parts
    } == set()


def test_an_end_in_the_middle_ends_every_part(tmp_path: Path) -> None:
    command = [script("otel-guard"), "demo", "--no-build", "--folder", str(tmp_path / "demo")]
    with subprocess.Popen(
        command, env=environment(tmp_path / "home"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if line.strip().startswith("traffic"):
                break
        parts = family(demo.pid)
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()
        code = demo.wait(30)

    assert code == 130
    assert "Traceback" not in rest
    assert any("gunicorn" in command for command in parts.values())
    deadline = SYSTEM.monotonic() + 10
    while any(is_alive(pid) for pid in parts) and SYSTEM.monotonic() < deadline:
        SYSTEM.sleep(0.1)
    assert [command for pid, command in parts.items() if is_alive(pid)] == []
