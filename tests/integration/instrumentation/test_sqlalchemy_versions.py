"""The same assertions on SQLAlchemy 2.0 and 2.1, with and without greenlet."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SAME = Path(__file__).with_name("test_sqlalchemy.py")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "otel_guard" / "venvs"
SHOWS = "import sqlalchemy; print(sqlalchemy.__version__)"
PYTHON = f"py{sys.version_info.major}{sys.version_info.minor}"


def installed(name: str, *requirements: str) -> Path:
    """A folder with *requirements*, kept between runs; it goes before the environment's own packages."""
    folder = CACHE / f"{name}-{PYTHON}"
    if folder.is_dir():
        return folder
    making = CACHE / f"{folder.name}.{os.getpid()}"
    making.mkdir(parents=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(making), *requirements]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        pytest.skip(f"{' '.join(requirements)} could not be installed: {done.stderr.strip()[-300:]}")
    return making.rename(folder)


def run(first: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"PYTHONPATH": str(first)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.parametrize(
    ("name", "version"), [("sqlalchemy20", "2.0.58"), ("sqlalchemy21", "2.1.9")], ids=["2.0", "2.1"]
)
def test_every_assertion_holds_on_each_version(name: str, version: str) -> None:
    folder = installed(name, f"sqlalchemy=={version}", "greenlet")
    done = run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs", str(SAME))

    # Without this, a folder that is not first on the path would test the same version twice.
    assert run(folder, "-c", SHOWS).stdout.strip() == version
    assert done.returncode == 0, done.stdout[-4000:]
    assert "greenlet is not installed" not in done.stdout


def test_nothing_needs_greenlet(tmp_path: Path) -> None:
    (tmp_path / "greenlet.py").write_text("raise ImportError('hidden by the test')\n", encoding="utf-8")
    synchronous = "not async and not cancelled"
    done = run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", synchronous, str(SAME))

    assert run(tmp_path, "-c", "import greenlet").returncode != 0
    assert done.returncode == 0, done.stdout[-4000:]
