"""The settings that hold, where each came from, and what is wrong with them."""

from collections.abc import Iterator
from typing import Final

from otel_guard.assembly.sinks import redactor
from otel_guard.doctor._base import Finding, Look
from otel_guard.instrumentation._libraries import LIBRARIES
from otel_guard.settings.alerting import alerting
from otel_guard.settings.checks import checks
from otel_guard.settings.rules import rules
from otel_guard.settings.tree import Row, rows

GROUP: Final = "settings"
SHORTEST: Final = 32
_KEYS: Final = ("secret_key", "health.token", "dashboard.token")
LONGEST: Final = 60


def check(look: Look) -> Iterator[Finding]:
    """Each setting that is no default, then what is wrong."""
    for row in rows():
        if (source := look.loaded.sources.get(row.name)) is not None:
            yield _setting(look, row, source)
    for line in look.loaded.problems:
        yield _problem(line.split(" ", 1)[0].rstrip(":"), line, "correct it, or take it out")
    yield from _tables(look)
    yield from _libraries(look)


def _setting(look: Look, row: Row, source: str) -> Finding:
    value = look.settings
    for part in row.name.split("."):
        value = getattr(value, part)
    where = {"environment": row.variable, "file": "otel_guard.toml"}.get(source, source)
    if not row.is_secret:
        shown = ",".join(value) if isinstance(value, tuple) else str(value)
        shown = shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"
        return Finding(group=GROUP, name=row.name, status="ok", detail=f"{shown} (from {where})")
    if row.name in _KEYS and len(str(value).encode()) < SHORTEST:
        fix = f"write at least {SHORTEST} random bytes: python -c 'import secrets; print(secrets.token_hex())'"
        detail = f"too short, not used (from {where})"
        return Finding(group=GROUP, name=row.name, status="failed", detail=detail, fix=fix)
    return Finding(group=GROUP, name=row.name, status="ok", detail=f"set, not shown (from {where})")


def _tables(look: Look) -> Iterator[Finding]:
    refused: list[str] = []
    redactor(look.settings, refused)
    found = alerting(look.settings, look.environ), rules(look.settings), checks(look.settings, look.environ)
    for line in (*refused, *(line for part in found for line in part.problems)):
        name, _, rest = line.partition(": ")
        what, _, cure = rest.partition("; ")
        yield _problem(name, what, cure)


def _libraries(look: Look) -> Iterator[Finding]:
    group = look.settings.instrument
    for name in sorted({*group.off, *group.on} - {library.name for library in LIBRARIES}):
        yield _problem("instrument", f"{name} is no library we know", "see docs/settings.md for their names")


def _problem(name: str, detail: str, fix: str) -> Finding:
    return Finding(group=GROUP, name=name, status="failed", detail=detail, fix=fix)
