"""`otel-guard run -- CMD`: start an application with every call watched, without a line of code."""

import os
import shutil
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Annotated, Final

import opentelemetry.instrumentation.auto_instrumentation as start_up
import typer

from otel_guard.cli._base import USAGE, Problem
from otel_guard.instrumentation._libraries import DISABLED_BY_US

CONTEXT_SETTINGS: Final = {"ignore_unknown_options": True, "allow_interspersed_args": False}
NOT_EXECUTABLE: Final = 126
NOT_FOUND: Final = 127
_WHERE_UNSET: Final[Mapping[str, str]] = {
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",
}
_DISABLED: Final = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"


def command(
    cmd: Annotated[
        list[str] | None, typer.Argument(metavar="-- CMD", help="What to start: gunicorn shop:app, celery ...")
    ] = None,
) -> None:
    """Start CMD with every call watched; its process id, signals and exit code are its own."""
    if not cmd:
        raise Problem("run has no command", "write otel-guard run -- gunicorn shop:app", USAGE)
    path = _find(cmd[0])
    watched(os.environ)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execv(path, cmd)  # noqa: S606 - the user's own command
    except OSError as error:
        raise Problem(
            f"{cmd[0]} cannot be started: {error.strerror}", "check its first line", NOT_EXECUTABLE
        ) from error


def watched(environ: MutableMapping[str, str]) -> None:
    """Set in *environ* what makes a Python process start watched."""
    for name, value in _WHERE_UNSET.items():
        environ.setdefault(name, value)
    disabled = [part for part in environ.get(_DISABLED, "").split(",") if part.strip()]
    environ[_DISABLED] = ",".join(dict.fromkeys([*disabled, *DISABLED_BY_US]))
    folder = str(Path(start_up.__file__).parent)
    rest = [part for part in environ.get("PYTHONPATH", "").split(os.pathsep) if part and part != folder]
    environ["PYTHONPATH"] = os.pathsep.join([folder, str(Path.cwd()), *rest])


def _find(name: str) -> str:
    found = shutil.which(name)
    if found is not None:
        return found
    path = Path(name)
    if path.exists() and os.sep in name:
        raise Problem(
            f"{name} is not executable", f"write otel-guard run -- python {name}, or chmod +x", NOT_EXECUTABLE
        )
    raise Problem(f"{name} is not found", "check its spelling and PATH", NOT_FOUND)
