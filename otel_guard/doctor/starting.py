"""How an application is started watched, and what of the environment stands in the way."""

import os
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path
from typing import Final

import opentelemetry.instrumentation.auto_instrumentation as start_up

from otel_guard.doctor._base import Finding, Look
from otel_guard.instrumentation._libraries import DISABLED_BY_US

GROUP: Final = "start"
ENTRY_POINT: Final = "opentelemetry_pre_instrument"
DISABLED: Final = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
RUN: Final = "start it with `otel-guard run -- CMD`"
_OPT_IN: Final = "OTEL_SEMCONV_STABILITY_OPT_IN"


def check(look: Look) -> Iterator[Finding]:
    """The entry point, then the variables."""
    names = {point.name for point in entry_points(group=ENTRY_POINT)}
    if "otel_guard" in names:
        yield Finding(
            group=GROUP, name="otel-guard run", version=_version(), status="ok", detail="its entry point is there"
        )
    else:
        fix = "install otel-guard again: pip install --force-reinstall --no-deps otel-guard"
        yield _finding("otel-guard run", "failed", f"the entry point {ENTRY_POINT} is not registered", fix)
    if not look.settings.enabled:
        yield _finding("enabled", "warning", "nothing is watched: enabled is false", "unset OTEL_GUARD_ENABLED")
    yield from _variables(look)


def _variables(look: Look) -> Iterator[Finding]:
    environ = look.environ
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        detail = "no spans, no traces: only calls that we wrap ourselves make records"
        yield _finding("OTEL_SDK_DISABLED", "warning", detail, "unset it")
    if (opt_in := environ.get(_OPT_IN, "")) and not {"database", "database/dup"} & set(_parts(opt_in)):
        detail = "without `database` the durations of psycopg and psycopg2 are not measured"
        yield _finding(_OPT_IN, "warning", detail, f"write {_OPT_IN}=http,database")
    folder = str(Path(start_up.__file__).parent)
    is_instrumented = folder in environ.get("PYTHONPATH", "").split(os.pathsep)
    left = sorted({*DISABLED_BY_US} - {*_parts(environ.get(DISABLED, ""))})
    if is_instrumented and left:
        detail = f"opentelemetry-instrument starts before us what we start too: {', '.join(left)}"
        yield _finding("opentelemetry-instrument", "warning", detail, RUN)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _version() -> str:
    try:
        return version("otel-guard")
    except PackageNotFoundError:
        return ""


def _finding(name: str, status: str, detail: str, fix: str) -> Finding:
    match status:
        case "failed":
            return Finding(group=GROUP, name=name, status="failed", detail=detail, fix=fix)
        case _:
            return Finding(group=GROUP, name=name, status="warning", detail=detail, fix=fix)
