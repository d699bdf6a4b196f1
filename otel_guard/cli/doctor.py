"""`otel-guard doctor`: is all there, does all work, and what to do where it does not."""

import os
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from otel_guard.cli._base import console, emit, plain
from otel_guard.core.exceptions import SettingsError
from otel_guard.doctor._base import Finding, Look
from otel_guard.doctor.examine import examine, exit_code
from otel_guard.settings import Loaded, load
from otel_guard.settings.identity import identity

DASH: Final = "\N{EN DASH}"
SIGNS: Final = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failed": ("✗", "bold red"), "absent": (DASH, "dim")}


def command(
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 after a warning, too.")] = False,
    no_network: Annotated[
        bool, typer.Option("--no-network", help="Ask no Postgres, Collector, Sentry, channel.")
    ] = False,
    application: Annotated[
        str | None, typer.Option("--import", metavar="MODULE", help="Import it first, and show what it set up.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Make a real call of each library against a local stand-in, ask all that records go to; exit 1 if a row failed."""
    loaded = _loaded()
    look = Look(
        loaded=loaded,
        environ=dict(os.environ),
        who=identity(loaded.settings, os.environ),
        is_network_allowed=not no_network,
        application=application,
    )
    findings = list(examine(look)) if json else _shown(examine(look))
    if json:
        emit("doctor", {"checks": [_row(finding) for finding in findings], **_counts(findings)})
    raise typer.Exit(exit_code(findings, is_strict=strict))


def _loaded() -> Loaded:
    """With `strict` too: what is wrong is a row each."""
    try:
        return load()
    except SettingsError:
        return load(environ={**os.environ, "OTEL_GUARD_STRICT": "0"})


def _row(finding: Finding) -> dict[str, object]:
    return {
        "name": finding.name,
        "version": finding.version or None,
        "status": finding.status,
        "detail": finding.detail,
        "fix": finding.fix or None,
    }


def _counts(findings: Iterable[Finding]) -> dict[str, int]:
    counts = Counter(finding.status for finding in findings)
    return {status: counts[status] for status in ("ok", "warning", "failed")}


def _shown(findings: Iterable[Finding]) -> list[Finding]:
    """Print each as it comes, what is absent of a group in one line at its end."""
    out, seen = console(), list[Finding]()
    group, absent = "", list[Finding]()
    for finding in findings:
        if finding.group != group:
            _print_absent(out, absent)
            out.print(plain(f"\n{finding.group}" if seen else finding.group, "bold"))
            group, absent = finding.group, []
        seen.append(finding)
        if finding.status == "absent" and finding.detail == "not installed":
            absent.append(finding)
        else:
            _print(out, finding)
    _print_absent(out, absent)
    counts = _counts(seen)
    out.print(plain(f"\n{counts['ok']} ok, {counts['warning']} warnings, {counts['failed']} failed", "bold"))
    return seen


def _print(out: Console, finding: Finding) -> None:
    sign, style = SIGNS[finding.status]
    named = f"{finding.name} {finding.version}" if finding.version else finding.name
    row = Table.grid(padding=(0, 1, 0, 0))
    row.add_row(Text(sign, style), plain(f"{named}: {finding.detail}", "dim" if style == "dim" else ""))
    if finding.fix:
        row.add_row("", plain(f"-> {finding.fix}", "cyan"))
    out.print(Padding(row, (0, 0, 0, 2), expand=False))


def _print_absent(out: Console, absent: list[Finding]) -> None:
    if absent:
        names = ", ".join(finding.name for finding in absent)
        out.print(Padding(plain(f"{DASH} not installed: {names}", "dim"), (0, 0, 0, 2), expand=False))
