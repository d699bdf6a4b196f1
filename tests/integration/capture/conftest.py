"""A program under otel-guard as a real process on a real Postgres, and the rows it left."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otel_guard.demo.processes import environment

LIMIT_S = 60
HEAD = "import otel_guard\nfrom opentelemetry import trace\notel_guard.configure()\n"
ROWS = "SELECT * FROM otel_guard.system_errors ORDER BY seq"

Row = dict[str, Any]
Query = Callable[..., list[Row]]
Play = Callable[..., list[Row]]


@pytest.fixture
def env(dsn: str, tmp_path: Path) -> dict[str, str]:
    return environment(
        {
            "OTEL_GUARD_DSN": dsn,
            "OTEL_GUARD_JOURNAL_DIR": str(tmp_path / "journal"),
            "OTEL_GUARD_SENTRY": "off",
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_METRICS_EXPORTER": "none",
        }
    )


@pytest.fixture
def play(env: dict[str, str], query: Query, tmp_path: Path) -> Play:
    def played(program: str, *, head: str = HEAD, **variables: str) -> list[Row]:
        (tmp_path / "program.py").write_text(head + program)
        command = [sys.executable, "program.py"]
        ran = subprocess.run(
            command,
            env=env | variables,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr
        return query(ROWS)

    return played
