"""`otel-guard slow`: the slow queries and calls."""

from typing import Annotated

import typer
from rich.table import Table

from otel_guard.cli._base import console, emit, needed_dsn, place, plain, seconds_of, table
from otel_guard.store.queries import Row, reading, slow


def command(
    *,
    since: Annotated[str, typer.Option(help="How far back: 30m, 24h, 7d.")] = "24h",
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show them, most time first."""
    since_s = seconds_of(since)
    with reading(needed_dsn()) as database:
        rows = slow(database, since_s)
    if json:
        emit("slow", {"queries": rows})
    elif not rows:
        console().print(f"no slow call in {since}", markup=False)
    else:
        console().print(_table(rows))


def _table(rows: list[Row]) -> Table:
    shown = table("n", "p95 ms", "max ms", "what", "where")
    for name in ("n", "p95 ms", "max ms"):
        column = next(column for column in shown.columns if column.header == name)
        column.justify = "right"
        column.no_wrap = True
    shown.columns[3].ratio = 3
    shown.columns[4].ratio = 2
    shown.expand = True
    for row in rows:
        what = row["query_text"] or " ".join(filter(None, (row["system"], row["operation"]))) or row["type"]
        shown.add_row(
            str(row["n"]),
            _ms(row["p95_ms"]),
            _ms(row["max_ms"]),
            plain(" ".join(what.split())),
            plain(place(row["place"]), "dim"),
        )
    return shown


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"
