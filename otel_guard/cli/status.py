"""`otel-guard status`: the state at a glance."""

from typing import Annotated

import typer
from rich.table import Table

from otel_guard.cli._base import ago, console, emit, needed_dsn, plain, table
from otel_guard.store.queries import Row, reading, status


def command(*, json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
    """Show incidents, switches, the monitor, and the processes with what waits in their journals."""
    with reading(needed_dsn()) as database:
        state = status(database)
    if json:
        emit("status", state)
        return
    out = console()
    out.print(plain(headline(state)))
    if state["processes"]:
        out.print()
        out.print(_processes(state["processes"]))


def headline(state: Row) -> str:
    """The state in a line: `2 firing · payments enabled · monitor 4 s ago`."""
    incidents = state["incidents"]
    parts = [f"{incidents['firing']} firing"]
    if incidents["acknowledged"]:
        parts.append(f"{incidents['acknowledged']} acknowledged")
    switches = {"payments": True} | {row["name"]: row["enabled"] for row in state["switches"]}
    parts += [
        f"{name} {'enabled' if is_on else 'paused'}"
        for name, is_on in switches.items()
        if name == "payments" or not is_on
    ]
    last = state["monitor"]["last_cycle_at"]
    parts.append(f"monitor {ago(last)}" if last else "no monitor yet")
    return " · ".join(parts)


def _processes(rows: list[Row]) -> Table:
    shown = table("process", "service", "seen", "journal", "oldest", "dropped")
    for row in rows:
        shown.add_row(
            plain(row["instance"]),
            plain(row["service"]),
            ago(row["at"]),
            f"{(row['journal_bytes'] or 0) / 1024:.0f} KiB",
            f"{row['oldest_s'] or 0:.0f} s",
            str(row["dropped"] or 0),
        )
    return shown
