"""Jobs under `otel-guard heartbeat`, as real processes, and beats of a program, on a real Postgres."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_guard.demo.processes import environment, script
from otel_guard.health.heartbeat import Heartbeats
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.store.lane import Lane

LIMIT_S = 60
NOWHERE = "postgresql://u@127.0.0.1:1/x"
Query = Callable[..., list[dict[str, Any]]]
Ran = subprocess.CompletedProcess[bytes]

TRAPS = """
import os, signal, sys
def heard(number, frame):
    os.write(1, f"{signal.Signals(number).name} ".encode())
    if number == signal.SIGTERM:
        sys.exit(7)
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
    signal.signal(number, heard)
os.write(1, b"ready ")
while True:
    signal.pause()
"""

# Ends with how many interrupts it saw.
COUNTS = """
import os, signal, sys
seen = []
def interrupted(number, frame):
    seen.append(number)
    os.write(1, b"INT ")
def ended(number, frame):
    os.write(1, b"QUIT ")
    sys.exit(len(seen))
signal.signal(signal.SIGINT, interrupted)
signal.signal(signal.SIGQUIT, ended)
os.write(1, b"ready ")
while True:
    signal.pause()
"""
IN_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


class Job:
    """Runs `otel-guard heartbeat`."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.folder = folder
        self.environ = environment(
            {
                "OTEL_GUARD_DSN": dsn,
                "OTEL_GUARD_JOURNAL_DIR": str(folder / "journal"),
                "OTEL_SERVICE_NAME": "shop",
                "OTEL_GUARD_ENVIRONMENT": "test",
            }
        )
        self._started: list[subprocess.Popen[bytes]] = []

    def run(self, *arguments: str, stdin: bytes = b"", **environ: str) -> Ran:
        return subprocess.run(
            [script("otel-guard"), "heartbeat", *arguments],
            env=self.environ | environ,
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [script("otel-guard"), "heartbeat", *arguments]
        made = subprocess.Popen(command, env=self.environ, cwd=self.folder, stdout=subprocess.PIPE)
        self._started.append(made)
        return made

    def close(self) -> None:
        for each in self._started:
            if each.poll() is None:
                each.kill()
            each.communicate()


@pytest.fixture
def job(dsn: str, tmp_path: Path) -> Iterator[Job]:
    made = Job(dsn, tmp_path)
    yield made
    made.close()


def beats(query: Query) -> list[dict[str, Any]]:
    return query(
        "SELECT name, instance, service, environment, period_s, (detail ->> 'duration_s')::float8 AS duration_s,"
        " now() - at < interval '30 s' AS is_new FROM otel_guard.heartbeats WHERE kind = 'job' ORDER BY name"
    )


def failures(query: Query) -> list[dict[str, Any]]:
    return query("SELECT * FROM otel_guard.system_errors ORDER BY created_at")


def read_until(pipe: Any, words: bytes) -> bytes:
    found = b""
    while not found.endswith(words):
        byte = os.read(pipe.fileno(), 1)
        assert byte, found
        found += byte
    return found


def test_a_job_that_ran_is_a_row_with_its_duration(job: Job, query: Query) -> None:
    ran = job.run("invoices", "--every", "24h", "--", "sleep", "0.2")

    (row,) = beats(query)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")
    assert (row["name"], row["instance"], row["service"], row["environment"]) == (
        "invoices",
        "shop:test",
        "shop",
        "test",
    )
    assert (row["period_s"], row["is_new"]) == (86400, True)
    assert 0.2 <= row["duration_s"] < 5
    assert failures(query) == []


def test_input_and_output_are_the_jobs_own(job: Job) -> None:
    text = bytes(range(256)) * 1000
    ran = job.run(
        "copy",
        "--",
        sys.executable,
        "-c",
        "import sys, shutil as s; s.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)",
        stdin=text,
    )

    assert (ran.returncode, ran.stdout == text, ran.stderr) == (0, True, b"")


def test_options_of_the_job_are_its_own(job: Job) -> None:
    ran = job.run("echo", "--", "echo", "--every", "5", "--json", "--", "-x")

    assert ran.stdout == b"--every 5 --json -- -x\n"


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (("sh", "-c", "echo out; echo err >&2; exit 3"), 3, "invoices exited with 3"),
        (("sh", "-c", "kill -KILL $$"), 137, "invoices was ended by SIGKILL"),
        (("nowhere-to-be-found",), 127, "invoices exited with 127"),
        (("./plain",), 126, "invoices exited with 126"),
        (("./broken",), 126, "invoices exited with 126"),
    ],
)
def test_a_job_that_failed_is_a_record_and_no_beat(
    job: Job, query: Query, command: tuple[str, ...], code: int, message: str
) -> None:
    (job.folder / "plain").write_text("hello")
    (job.folder / "broken").write_text("#!/nowhere\n")
    (job.folder / "broken").chmod(0o755)
    ran = job.run("invoices", "--", *command, "sk_" + "live_" + "a" * 24)

    (row,) = failures(query)
    assert ran.returncode == code
    assert (row["context"], row["system"], row["severity"], row["handled"]) == ("other", "cron", "high", False)
    assert (row["error_type"], row["message"], row["operation"]) == ("JobFailed", message, "invoices")
    assert (row["service"], row["environment"], row["metadata"]["exit_code"]) == ("shop", "test", code)
    assert (row["metadata"]["command"], row["stack_trace"]) == (Path(command[0]).name, None)
    assert "live" not in str(row)
    assert beats(query) == []
    if code == 3:
        assert (ran.stdout, ran.stderr) == (b"out\n", b"err\n")
    assert list((job.folder / "journal").rglob("*.seg")) == []


def test_signals_reach_the_job_and_its_end_is_ours(job: Job, query: Query) -> None:
    started = job.start("trap", "--", sys.executable, "-c", TRAPS)
    assert started.stdout is not None
    read_until(started.stdout, b"ready ")
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        started.send_signal(number)
        assert read_until(started.stdout, b" ") == f"{number.name} ".encode()
    started.send_signal(signal.SIGTERM)

    assert started.wait(LIMIT_S) == 7
    assert [row["message"] for row in failures(query)] == ["trap exited with 7"]


def test_a_signal_that_ends_the_job_is_its_exit_code(job: Job, query: Query) -> None:
    started = job.start("nap", "--", "sh", "-c", "echo ready; exec sleep 60")
    assert started.stdout is not None
    read_until(started.stdout, b"ready\n")
    started.send_signal(signal.SIGTERM)

    assert started.wait(LIMIT_S) == 128 + signal.SIGTERM
    assert [row["message"] for row in failures(query)] == ["nap was ended by SIGTERM"]


def test_a_plain_beat_keeps_the_period_that_is_stored(job: Job, query: Query) -> None:
    assert job.run("stock").stdout == b"stock beat, every 24 h\n"
    assert job.run("stock", "--every", "10m").stdout == b"stock beat, every 10 min\n"
    row = json.loads(job.run("stock", "--json").stdout)["heartbeat"]

    assert (row["name"], row["period_s"]) == ("stock", 600)
    assert [row["period_s"] for row in beats(query)] == [600]


def test_the_watch_over_a_job_can_be_ended(job: Job, query: Query) -> None:
    job.run("stock")

    assert job.run("stock", "--remove").stdout == b"stock is no longer watched\n"
    assert beats(query) == []
    again = job.run("stock", "--remove")
    assert (again.returncode, b"there is no heartbeat 'stock'" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [(), ("x", "--every", "soon", "--", "touch", "ran"), ("x", "--every", "0m"), ("x", "--remove", "--", "true")],
)
def test_a_wrong_line_runs_nothing(job: Job, arguments: tuple[str, ...]) -> None:
    assert job.run(*arguments).returncode == 2
    assert not (job.folder / "ran").exists()


@pytest.mark.parametrize("dsn", ["", "nonsense"])
def test_a_job_runs_without_postgres_too(job: Job, dsn: str) -> None:
    ran = job.run("x", "--", "sh", "-c", "echo ran", OTEL_GUARD_DSN=dsn)
    failed = job.run("x", "--", "sh", "-c", "exit 3", OTEL_GUARD_DSN=dsn)

    assert (ran.returncode, ran.stdout, ran.stderr.count(b"\n")) == (0, b"ran\n", 1)
    assert b"OTEL_GUARD_DSN" in ran.stderr
    assert failed.returncode == 3
    assert len(list((job.folder / "journal").rglob("*.seg"))) == bool(dsn)


def test_while_postgres_is_away_a_job_waits_ten_seconds_and_its_failure_waits_in_the_journal(
    job: Job, dsn: str, query: Query
) -> None:
    job.environ["OTEL_GUARD_DSN"] = NOWHERE
    began = time.monotonic()
    well, ill = job.start("well", "--", "true"), job.start("ill", "--", "sh", "-c", "exit 5")

    assert (well.wait(LIMIT_S), ill.wait(LIMIT_S)) == (0, 5)
    assert 9 < time.monotonic() - began < 16
    (folder,) = (job.folder / "journal").iterdir()
    job.environ["OTEL_GUARD_DSN"] = dsn
    drained = subprocess.run(
        [script("otel-guard"), "drain", "--from", str(folder)],
        env=job.environ,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert drained.returncode == 0, drained.stderr
    assert [row["message"] for row in failures(query)] == ["ill exited with 5"]


def test_a_frozen_postgres_holds_no_job(job: Job, postgres: Any) -> None:
    job.run("x", "--", "true")
    os.kill(postgres.cluster.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        ran = job.run("x", "--", "true")
        took_s = time.monotonic() - began
    finally:
        os.kill(postgres.cluster.pid, signal.SIGCONT)

    assert ran.returncode == 0
    assert took_s < 13
    assert b"x ran, but that is not stored" in ran.stderr


def test_beats_of_a_program_wait_while_postgres_is_away(dsn: str, query: Query) -> None:
    lane, away = Lane(dsn, SYSTEM), Lane(NOWHERE, SYSTEM)
    failed: list[tuple[BaseException, str]] = []
    heartbeats = Heartbeats(
        lambda exc, name: failed.append((exc, name)), SYSTEM, Failsafe(strict=True), service="shop", environment="test"
    )

    @heartbeats("invoices", every="24h")
    def invoices() -> str:
        return "done"

    assert invoices() == "done"
    heartbeats("stock", every=600)
    assert not heartbeats.tend(away.transaction, is_last=True)
    assert heartbeats.tend(lane.transaction, is_last=True)

    rows = beats(query)
    lane.close()
    assert [(row["name"], row["instance"], row["period_s"], row["is_new"]) for row in rows] == [
        ("invoices", "shop:test", 86400, True),
        ("stock", "shop:test", 600, True),
    ]
    assert [row["duration_s"] is None for row in rows] == [False, True]
    assert failed == []


def test_an_older_beat_does_not_replace_a_newer_one(dsn: str, query: Query) -> None:
    lane = Lane(dsn, SYSTEM)
    late = Heartbeats(lambda *_: None, SYSTEM, Failsafe(strict=True), service="shop", environment="test")
    late("invoices", every="1h")
    SYSTEM.sleep(0.05)
    other = Heartbeats(lambda *_: None, SYSTEM, Failsafe(strict=True), service="shop", environment="test")
    other("invoices", every="2h")
    assert other.tend(lane.transaction, is_last=True)
    assert late.tend(lane.transaction, is_last=True)
    lane.close()

    assert [row["period_s"] for row in beats(query)] == [7200]


def test_an_interrupt_of_the_terminal_reaches_the_job_once(job: Job) -> None:
    command = [script("otel-guard"), "heartbeat", "count", "--", sys.executable, "-c", COUNTS]
    started = subprocess.Popen(
        [sys.executable, "-c", IN_TERMINAL, *command],
        env=job.environ, cwd=job.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert started.stdin is not None
    for press, seen in ((b"", b"ready "), (b"\x03", b"INT "), (b"\x1c", b"QUIT ")):
        started.stdin.write(press)
        started.stdin.flush()
        read_until(started.stdout, seen)

    assert started.wait(LIMIT_S) == 1
    started.communicate()
