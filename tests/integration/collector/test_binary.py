"""Where the binary comes from, first match wins; what is missing is said."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from otel_guard.demo import collector, collector_build

MANIFEST: Final = (collector.files() / "builder.yaml").read_bytes()
MODULES: Final = [line.split()[2] for line in MANIFEST.decode().splitlines() if "gomod:" in line]


class Said(list[str]):
    """What was said, and what was found."""

    def find(self, *, build: bool = False) -> Path | None:
        return collector.find(build, self.append)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Said:
    """A machine with an empty cache and nothing on PATH."""
    monkeypatch.delenv("OTEL_GUARD_COLLECTOR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return Said()


def _program(path: Path, prints: str = "", code: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nprintf '%s' '{prints}'\nexit {code}\n")
    path.chmod(0o755)
    return path


def _components(modules: list[str]) -> str:
    return "".join(f"    - name: x\n      module: {module} v0.161.0\n" for module in modules)


def test_the_variable_wins(said: Said, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OTEL_GUARD_COLLECTOR", str(named := _program(tmp_path / "mine")))
    _program(tmp_path / "bin" / "otelcol", _components(MODULES))

    assert (said.find(), said) == (named, [])


def test_a_variable_that_names_no_program_is_said_and_nothing_else_is_tried(
    said: Said, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OTEL_GUARD_COLLECTOR", str(tmp_path / "gone"))
    _program(tmp_path / "bin" / "otelcol", _components(MODULES))

    assert said.find() is None
    assert said == [
        f"OTEL_GUARD_COLLECTOR is {tmp_path}/gone, which is no executable file: name an otelcol binary, or unset it"
    ]


def test_the_cache_comes_before_path(said: Said, tmp_path: Path) -> None:
    _program(tmp_path / "bin" / "otelcol", _components(MODULES))
    cached = _program(collector_build.cached(MANIFEST, ""))

    assert said.find() == cached


@pytest.mark.parametrize(("manifest", "go"), [(MANIFEST + b"\n", "go1.26.8"), (MANIFEST, "go1.26.9")])
def test_another_manifest_or_go_is_another_binary(manifest: bytes, go: str) -> None:
    assert collector_build.cached(manifest, go) != collector_build.cached(MANIFEST, "go1.26.8")


def test_a_stock_binary_with_all_components_serves(said: Said, tmp_path: Path) -> None:
    stock = _program(tmp_path / "bin" / "otelcol-contrib", _components([*MODULES, "example.org/more"]))

    assert (said.find(), said) == (stock, [])


def test_a_stock_binary_that_lacks_something_is_not_used_and_says_what(said: Said, tmp_path: Path) -> None:
    lacking = [each for each in MODULES if "tailsampling" not in each and "filestorage" not in each]
    _program(tmp_path / "bin" / "otelcol", _components(lacking))

    assert said.find() is None
    assert said[0].endswith("otelcol lacks filestorage, tailsamplingprocessor")
    assert "python -m otel_guard.demo.collector" in said[1]


def test_an_old_go_builds_nothing_and_is_told_apart(said: Said, tmp_path: Path) -> None:
    _program(tmp_path / "bin" / "go", "go1.25.3")

    assert said.find(build=True) is None
    assert said[0].startswith("no Go 1.26 or newer on PATH")


def test_a_failed_build_says_its_last_lines_and_leaves_nothing_behind(said: Said, tmp_path: Path) -> None:
    go = _program(tmp_path / "bin" / "go")
    go.write_text('#!/bin/sh\nif [ "$1" = env ]; then echo go1.26.8; else echo no route to the proxy; exit 1; fi\n')

    assert said.find(build=True) is None
    assert "the Collector's build failed (Go needs its module proxy, see GOPROXY):\nno route to the proxy" in said
    left = [path.name for path in collector_build.cached(MANIFEST, "go1.26.8").parent.iterdir()]
    assert left == ["lock"]


def test_a_build_is_renamed_into_the_cache_and_found_again(said: Said, tmp_path: Path) -> None:
    go = _program(tmp_path / "bin" / "go")
    make = "/bin/mkdir build; echo '#!/bin/sh' > build/otelcol; /bin/chmod +x build/otelcol"
    go.write_text(f'#!/bin/sh\nif [ "$1" = env ]; then echo go1.26.8; else {make}; fi\n')

    built = said.find(build=True)

    assert built == collector_build.cached(MANIFEST, "go1.26.8")
    assert os.access(built, os.X_OK)
    assert said.find() == built


def test_the_command_prints_the_path_alone_on_stdout(tmp_path: Path) -> None:
    named = _program(tmp_path / "mine")
    command = [sys.executable, "-m", "otel_guard.demo.collector"]

    found = subprocess.run(
        command, env={"OTEL_GUARD_COLLECTOR": str(named)}, capture_output=True, text=True, timeout=60, check=False
    )
    missing = subprocess.run(
        command, env={"OTEL_GUARD_COLLECTOR": "/gone"}, capture_output=True, text=True, timeout=60, check=False
    )

    assert (found.returncode, found.stdout, found.stderr) == (0, f"{named}\n", "")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "OTEL_GUARD_COLLECTOR" in missing.stderr


def test_a_start_that_fails_raises_with_the_last_lines_of_the_log(tmp_path: Path) -> None:
    broken = _program(tmp_path / "otelcol", "Error: cannot unmarshal", 1)

    with pytest.raises(collector.CollectorError, match="Error: cannot unmarshal"):
        collector.start(broken, tmp_path / "config.yaml", env={}, log_path=tmp_path / "log")
