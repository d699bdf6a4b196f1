"""`otel-guard metrics`: webhook times, email delivery, queries, AI calls and payments in figures."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Annotated, Final

import typer
from msgspec import Struct
from rich.table import Table
from rich.text import Text

from otel_guard.cli._base import USAGE, Problem, console, emit, needed_dsn, plain, seconds_of, table
from otel_guard.core.classify import WEBHOOK_DURATION, WEBHOOK_LAG
from otel_guard.store import metrics
from otel_guard.store.ask import Row
from otel_guard.store.queries import reading

LISTED: Final = 10
GOOD: Final = 0.98
POOR: Final = 0.95
_REQUESTS: Final = "http.server.request.duration"


class Group(Struct, frozen=True, kw_only=True):
    """Figures that are read together, and where they come from, for a screen on which there are none yet."""

    name: str
    title: str
    holds: Callable[[Row], bool]
    comes: str
    has_success: bool = True


GROUPS: Final = (
    Group(
        name="webhooks",
        title="Webhooks: how long a provider's events took to be handled, and how long after they happened (lag)",
        holds=lambda row: row["name"] in {WEBHOOK_DURATION, WEBHOOK_LAG},
        comes="they come when a provider's events are handled within otel_guard.webhook(), or carry their type",
    ),
    Group(
        name="email",
        title="Email: delivered to the provider",
        holds=lambda row: row["context"] == "email",
        comes="they come with the first mail by smtplib, Resend, SendGrid or SES",
    ),
    Group(
        name="payments",
        title="Payments: calls to the provider; declined cards are no failures",
        holds=lambda row: row["context"] == "payment" and row["name"] not in {WEBHOOK_DURATION, WEBHOOK_LAG},
        comes="they come with the first call to Stripe or another provider",
    ),
    Group(
        name="ai",
        title="AI calls",
        holds=lambda row: row["context"] == "ai",
        comes="they come with the first call to OpenAI, Anthropic or Gemini",
    ),
    Group(
        name="slow",
        title="Slow queries: above slow.database_ms; `otel-guard slow` has their text and place",
        holds=lambda row: row["name"] == metrics.SLOW,
        comes="no query took longer than slow.database_ms",
        has_success=False,
    ),
    Group(
        name="queries",
        title="Queries",
        holds=lambda row: row["context"] in {"database", "cache"} and row["name"] != metrics.SLOW,
        comes="they come with the first query by SQLAlchemy, psycopg, asyncpg, redis",
    ),
    Group(
        name="requests",
        title="Requests to the application",
        holds=lambda row: row["name"] == _REQUESTS,
        comes="they come with the first request",
    ),
)
NAMES: Final = ", ".join(group.name for group in GROUPS)


def command(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help=f"{NAMES}; or a metric's own name.")] = None,
    *,
    since: Annotated[str, typer.Option(help="How far back: 30m, 24h, 7d; minutes are kept 35 days.")] = "7d",
    json: Annotated[bool, typer.Option("--json", help="One JSON object; times in seconds.")] = False,
) -> None:
    """Show how many, the share that went well, and the times; most calls first."""
    since_s = seconds_of(since)
    with reading(needed_dsn()) as database:
        rows = metrics.figures(database, since_s)
    groups = _chosen(rows, name)
    wanted = [(group, [row for row in rows if group.holds(row)]) for group in groups]
    if json:
        held = rows if name is None else [row for _, its in wanted for row in its]
        emit("metrics", {"metrics": held})
        return
    out = console()
    filled = [(group, its) for group, its in wanted if its]
    for number, (group, its) in enumerate(filled):
        if number:
            out.print()
        out.print(plain(group.title, "bold"))
        out.print(_table(its if name else its[:LISTED], has_success=group.has_success))
        if not name and len(its) > LISTED:
            out.print(plain(f"and {len(its) - LISTED} more: otel-guard metrics {group.name}", "dim"))
    if not filled:
        out.print(plain(_empty(groups, since, name)))


def milliseconds(seconds: float | None) -> str:
    """310 ms, 12.4 s, 7 min."""
    if seconds is None:
        return ""
    if seconds < 10:  # noqa: PLR2004
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.0f} min"  # noqa: PLR2004


def share(row: Row) -> float | None:
    """What went well; None where that is not counted."""
    return None if row["errors"] is None or not row["n"] else 1 - row["errors"] / row["n"]


def _chosen(rows: Sequence[Row], name: str | None) -> Sequence[Group]:
    """All groups, or the one of that name; a metric's own name makes one, too."""
    if name is None:
        return GROUPS
    named = [group for group in GROUPS if group.name == name]
    if named:
        return named
    metrics_there = sorted({row["name"] for row in rows})
    if name in metrics_there:
        return [Group(name=name, title=name, holds=lambda row: row["name"] == name, comes="")]
    near = get_close_matches(name, [*(group.name for group in GROUPS), *metrics_there], n=1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    raise Problem(f"there are no figures of {name!r}{meant}", f"write one of {NAMES}", USAGE)


def _empty(groups: Sequence[Group], since: str, name: str | None) -> str:
    if name is None:
        return f"nothing measured in {since}: start your application by otel-guard run -- CMD"
    return f"nothing in {since}: {groups[0].comes}"


def _table(rows: Sequence[Row], *, has_success: bool) -> Table:
    shown = table("what", "by", "n", "ok", "mean", "p95", "max")
    for column in shown.columns:
        column.no_wrap = True
    shown.columns[0].overflow = "ellipsis"
    for column in shown.columns[2:]:
        column.justify = "right"
    for row in rows:
        is_lag = row["name"] == WEBHOOK_LAG
        what = f"{row['operation']} (lag)" if is_lag else row["operation"]
        ok = None if is_lag or not has_success else share(row)
        times = (plain(milliseconds(row[key])) for key in ("avg", "p95", "max"))
        shown.add_row(plain(what or "-"), plain(row["system"]), str(row["n"]), _percent(ok), *times)
    return shown


def _percent(value: float | None) -> Text:
    """Never 100.0 % where one failed."""
    if value is None:
        return plain("")
    text = "100 %" if value == 1 else f"{min(value * 100, 99.9):.1f} %"
    return plain(text, "" if value >= GOOD else "yellow" if value >= POOR else "red")
