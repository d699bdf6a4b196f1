"""`otel-guard metrics`: webhook times, email delivery, queries and calls in figures."""

from collections.abc import Sequence
from typing import Annotated, Final

import typer
from msgspec import Struct
from rich.console import Console
from rich.table import Table
from rich.text import Text

from otel_guard.cli._base import console, emit, needed_dsn, plain, seconds_of, table
from otel_guard.core.classify import WEBHOOK_DURATION, WEBHOOK_LAG
from otel_guard.store.metrics import SLOW, figures
from otel_guard.store.queries import Row, reading

SHOWN: Final = 8  # rows of a group, unless it was asked for
LEAST, MOST, GAP = 12, 60, 2  # columns of an operation, and between two
MILLION: Final = 1_000_000
GOOD, POOR = 0.98, 0.95
_SECOND_MS: Final = 1000
_MINUTES_S: Final = 120
_TENTHS_S: Final = 10
_WIDTHS: Final = {"system": 11, "n": 7, "share": 7, "mean": 6, "p95": 6, "max": 6}


class Group(Struct, frozen=True):
    """Figures that are shown together."""

    name: str
    title: str
    metrics: tuple[str, ...]
    context: str | None = None
    share: str = "ok"  # what the share that went well is called
    empty: str = ""  # how there would be some


GROUPS: Final = (
    Group("webhooks", "Webhooks", (WEBHOOK_DURATION,), None, "handled", "otel_guard.webhook(…) round your handler"),
    Group("lag", "Webhooks, from event to handled", (WEBHOOK_LAG,), None, ""),
    Group("email", "Email", ("email.client.operation.duration",), None, "sent", "the first mail makes them"),
    Group("payments", "Payments", ("payment.client.operation.duration",), None, "ok", "the first payment makes them"),
    Group("ai", "AI calls", ("gen_ai.client.operation.duration",), None, "ok", "the first AI call makes them"),
    Group("slow", "Slow queries", (SLOW,), None, "", "none was slower than slow.database_ms"),
    Group("queries", "Queries", ("db.client.operation.duration",), "database"),
    Group("cache", "Cache", ("db.client.operation.duration",), "cache"),
    Group("requests", "Requests", ("http.server.request.duration",)),
    Group("http", "Calls to other services", ("http.client.request.duration",)),
    Group("queue", "Tasks", ("messaging.process.duration",), None, "done"),
    Group("calls", "Your own", ("otel_guard.call.duration",)),
)


def command(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A group (webhooks, email, slow …), a provider, a metric.")
    ] = None,
    *,
    since: Annotated[str, typer.Option(help="How far back: 30m, 24h, 7d; at most retention.minutes_days.")] = "7d",
    json: Annotated[bool, typer.Option("--json", help="One JSON object; times in seconds.")] = False,
) -> None:
    """Show how often, how much of it well, and how fast: the mean, the 95th percentile, the longest."""
    since_s = seconds_of(since)
    with reading(needed_dsn()) as database:
        rows = figures(database, since_s)
    wanted = rows if name is None else [row for row in rows if _is_meant(row, name)]
    if json:
        emit("metrics", {"metrics": wanted})
        return
    out = console()
    if name is not None and not wanted:
        out.print(plain(_nothing(name, since)))
    else:
        _show(out, wanted, name, since)


def group_of(row: Row) -> Group | None:
    """Where a figure belongs."""
    return next((group for group in GROUPS if _is_in(group, row)), None)


def _is_in(group: Group, row: Row) -> bool:
    return row["name"] in group.metrics and group.context in (None, row["context"])


def _is_meant(row: Row, name: str) -> bool:
    group, given = group_of(row), name.lower()
    names = {row["name"].lower(), row["context"], row["system"].lower(), *((group.name,) if group else ())}
    return given in names or (given == "webhooks" and row["name"] == WEBHOOK_LAG)


def _nothing(name: str, since: str) -> str:
    group = next((group for group in GROUPS if group.name == name.lower()), None)
    if group is not None:
        how = f": {group.empty}" if group.empty else ""
        return f"no figure of {group.title.lower() if group.name != 'ai' else group.title} in {since}{how}"
    known = ", ".join(group.name for group in GROUPS)
    return f"no figure named {name} in {since}; groups are {known}"


def _show(out: Console, rows: Sequence[Row], name: str | None, since: str) -> None:
    is_first, empty = True, []
    for group in GROUPS:
        own = [row for row in rows if _is_in(group, row)]
        if not own:
            empty += [group] if group.empty and name is None else []
            continue
        if not is_first:
            out.print()
        is_first = False
        out.print(plain(group.title, "bold"))
        out.print(_table(group, own if name else own[:SHOWN], out.width))
        if name is None and len(own) > SHOWN:
            out.print(plain(f"and {len(own) - SHOWN} more: otel-guard metrics {group.name}", "dim"))
    if empty:
        if not is_first:
            out.print()
        out.print(plain(f"Nothing in {since} of:", "dim"))
        for group in empty:
            out.print(plain(f"  {group.name:<10}{group.empty}", "dim"))


def _table(group: Group, rows: Sequence[Row], width: int) -> Table:
    """Columns of one width in all groups, so that the numbers stand below each other."""
    fixed = sum(size + GAP for size in _WIDTHS.values())
    sizes = {"operation": min(max(width - fixed, LEAST), MOST)} | _WIDTHS
    shown = table(*({"share": group.share}.get(name, name) for name in sizes))
    for column, (name, size) in zip(shown.columns, sizes.items(), strict=True):
        column.no_wrap, column.overflow = True, "ellipsis"
        column.min_width = column.max_width = size
        column.justify = "left" if name in ("operation", "system") else "right"
    for each in rows:
        times = (plain(_time(each[key])) for key in ("avg", "p95", "max"))
        shown.add_row(plain(_operation(each)), plain(each["system"]), plain(_count(each["n"])), _share(each), *times)
    return shown


def _operation(row: Row) -> str:
    """Of a webhook only the event's type: that it is processed goes without saying."""
    operation = str(row["operation"] or row["name"])
    return operation.removeprefix("process ") if row["name"] in (WEBHOOK_DURATION, WEBHOOK_LAG) else operation


def _share(row: Row) -> Text:
    """How much of it went well; of slow queries nobody knows, a lag is no failure."""
    if row["errors"] is None or row["name"] == WEBHOOK_LAG:
        return plain("")
    well = 1 - row["errors"] / row["n"]
    text = "100 %" if not row["errors"] else f"{min(well * 100, 99.9):.1f} %"
    return plain(text, "" if well >= GOOD else "yellow" if well >= POOR else "red")


def _count(n: int) -> str:
    return f"{n:,}" if n < MILLION else f"{n / MILLION:.1f} M"


def _time(seconds: float | None) -> str:
    """`0.4 ms`, `12 ms`, `1.2 s`, `30 s`, `7 min`."""
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds * _SECOND_MS:.0f} ms" if seconds >= 1 / _SECOND_MS else f"{seconds * _SECOND_MS:.1f} ms"
    if seconds >= _MINUTES_S:
        return f"{seconds / 60:.0f} min"
    return f"{seconds:.1f} s" if seconds < _TENTHS_S else f"{seconds:.0f} s"
