"""Instrumentations of others that make a second span of calls that are watched already."""

from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Final

from msgspec import Struct

from otel_guard.doctor._base import Finding, Look
from otel_guard.runtime.private import ANTHROPIC_TRACING

GROUP: Final = "foreign instrumentations"


class Foreign(Struct, frozen=True):
    """What it doubles, and whether there is no use for it beside us."""

    library: str
    is_refused: bool = False


GENAI_ANTHROPIC: Final = "opentelemetry-instrumentation-genai-anthropic"
FOREIGN: Final[Mapping[str, Foreign]] = {
    GENAI_ANTHROPIC: Foreign("anthropic", is_refused=True),
    "opentelemetry-instrumentation-openai-v2": Foreign("openai"),
    "opentelemetry-instrumentation-openai": Foreign("openai"),
    "opentelemetry-instrumentation-anthropic": Foreign("anthropic"),
    "opentelemetry-instrumentation-google-generativeai": Foreign("google-genai"),
    "openinference-instrumentation-openai": Foreign("openai"),
    "openinference-instrumentation-anthropic": Foreign("anthropic"),
    "openinference-instrumentation-google-genai": Foreign("google-genai"),
    "traceloop-sdk": Foreign("openai, anthropic, google-genai and more"),
    "openlit": Foreign("openai, anthropic, google-genai and more"),
}


def check(_look: Look) -> Iterator[Finding]:
    """One row for each that is installed; one that all is well if none is."""
    found = [finding for name, foreign in FOREIGN.items() if (finding := _found(name, foreign)) is not None]
    yield from found or [Finding(group=GROUP, name="doubles", status="ok", detail="none installed")]


def _found(name: str, foreign: Foreign) -> Finding | None:
    try:
        installed = version(name)
    except PackageNotFoundError:
        return None
    first = foreign.library.partition(",")[0]
    fix = f"pip uninstall {name}"
    if foreign.is_refused and _is_native():
        detail = "anthropic makes its own spans: together each call is counted twice; otel-guard stops it where it can"
        return Finding(group=GROUP, name=name, version=installed, status="failed", detail=detail, fix=fix)
    detail = f"a second span of each call of {foreign.library}, if the application starts it"
    fix = f"{fix}, or set OTEL_GUARD_INSTRUMENT_OFF={first} and keep it"
    return Finding(group=GROUP, name=name, version=installed, status="warning", detail=detail, fix=fix)


def _is_native() -> bool:
    try:
        return find_spec(ANTHROPIC_TRACING) is not None
    except (ImportError, ValueError):
        return False
