"""Bad input of the commands: one line on stderr, the exit codes of the contract."""

import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from otel_guard.demo.processes import environment, script

LIMIT_S = 60
Ran = subprocess.CompletedProcess[str]


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return environment(
        {
            "OTEL_GUARD_JOURNAL_DIR": str(tmp_path / "journal"),
            "OTEL_GUARD_SENTRY": "off",
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_METRICS_EXPORTER": "none",
        }
    )


def _guard(arguments: list[str], env: Mapping[str, str], folder: Path) -> Ran:
    return subprocess.run(
        [script("otel-guard"), *arguments],
        env=dict(env),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def _away() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"postgresql://guard:hunter2@127.0.0.1:{free.getsockname()[1]}/shop"


@pytest.mark.parametrize(
    ("command", "code", "word"),
    [
        ([], 2, "no command"),
        (["--"], 2, "no command"),
        (["--", "gunicornn-that-is-nowhere"], 127, "not found"),
        (["--", "./plain.txt"], 126, "not executable"),
        (["--", "./broken"], 126, "cannot be started"),
    ],
)
def test_run_says_what_is_wrong_with_its_command(
    env: dict[str, str], tmp_path: Path, command: list[str], code: int, word: str
) -> None:
    (tmp_path / "plain.txt").write_text("hello")
    (tmp_path / "broken").write_text("#!/nowhere/python\n")
    (tmp_path / "broken").chmod(0o755)
    ran = _guard(["run", *command], env, tmp_path)
    assert ran.returncode == code, ran.stderr
    assert word in ran.stderr
    assert ran.stdout == ""
    assert "Traceback" not in ran.stderr
    assert len(ran.stderr.splitlines()) <= 2


@pytest.mark.parametrize("code", [0, 1, 7])
def test_run_has_its_commands_exit_code_and_output(env: dict[str, str], tmp_path: Path, code: int) -> None:
    program = f"import sys; print('out'); print('err', file=sys.stderr); sys.exit({code})"
    ran = _guard(["run", "--", sys.executable, "-c", program], env, tmp_path)
    assert (ran.returncode, ran.stdout) == (code, "out\n")
    lines = [line for line in ran.stderr.splitlines() if not line.startswith("otel-guard:")]
    assert lines == ["err"]


def test_run_is_its_command_the_pid_is_the_same(env: dict[str, str], tmp_path: Path) -> None:
    command = [script("otel-guard"), "run", "--", sys.executable, "-c", "import os; print(os.getpid())"]
    with subprocess.Popen(command, env=env, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as started:
        out, _ = started.communicate(timeout=LIMIT_S)
    assert out == f"{started.pid}\n"


@pytest.mark.parametrize(
    ("command", "dsn", "code"),
    [
        *(([name], "away", 69) for name in ("errors", "slow", "migrate", "drain", "status")),
        *(([name], None, 2) for name in ("errors", "migrate")),
        *(([name], "mysql://root:hunter2@db/shop", 2) for name in ("errors", "drain")),
    ],
)
def test_a_command_without_a_usable_postgres_is_one_line(
    env: dict[str, str], tmp_path: Path, command: list[str], dsn: str | None, code: int
) -> None:
    if dsn is not None:
        env["OTEL_GUARD_DSN"] = _away() if dsn == "away" else dsn
    ran = _guard(command, env, tmp_path)
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    assert "hunter2" not in ran.stdout + ran.stderr
    assert len(ran.stderr.splitlines()) == 1, ran.stderr
