"""Virtual environments with other packages than ours, each made once and kept in the user's cache."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "otel_guard" / "venvs"
LIMIT_S: Final = 600
TOLD: Final = 600  # characters of what pip said last


class NotInstallableError(Exception):
    """pip could not make it; the text is what it said last."""


def environment(
    name: str, requirements: Sequence[str], *, python: str = sys.executable, constraints: Path | None = None
) -> Path:
    """The folder of scripts (`python`, `otel-guard` …) of an environment with *requirements* and this checkout, editable.

    It is made anew when *requirements*, *constraints*, the interpreter or `pyproject.toml` change.

    Raises:
        NotInstallableError: pip said no, or took too long.
    """
    told = (repr(list(requirements)), python, str(ROOT), (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    limits = constraints.read_text(encoding="utf-8") if constraints else ""
    key = hashlib.sha256("\0".join((*told, limits)).encode()).hexdigest()[:12]
    folder = CACHE / f"{name}-{key}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            _make(folder, python, [*requirements, *(["--constraint", str(constraints)] if constraints else [])])
            (folder / "complete").touch()
    return folder / "bin"


def _make(folder: Path, python: str, arguments: Sequence[str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for command in (
        [python, "-m", "venv", str(folder)],
        [*pip, "--upgrade", "pip>=25"],
        [*pip, "--editable", str(ROOT), *arguments],
    ):
        try:
            subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=True)
        except subprocess.SubprocessError as error:
            said = getattr(error, "stderr", None) or str(error)
            raise NotInstallableError(str(said).strip()[-TOLD:]) from error
