"""`otel-guard silence`: hold messages back for a while; the incidents go on."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Final

import typer

from otel_guard.cli._acting import actor, shown_id, writing
from otel_guard.cli._base import FAILED, USAGE, Problem, console, emit, needed_dsn, now, plain, seconds_of, table
from otel_guard.core.duration import shown
from otel_guard.runtime.text import safe_text
from otel_guard.store import alert_pages, silences
from otel_guard.store.ask import Row
from otel_guard.store.queries import reading

LONGEST_S: Final = 30 * 86400.0
TEXT_LIMIT: Final = 500
EXAMPLE: Final = "otel-guard silence rule=error_burst service=web --for 2h --comment 'new version goes out'"


def command(
    matchers: Annotated[
        list[str] | None,
        typer.Argument(metavar="[K=V]...", help="rule, type, service, environment, severity, context, or a label."),
    ] = None,
    *,
    span: Annotated[str | None, typer.Option("--for", metavar="2h", help="How long, at most 30d.")] = None,
    comment: Annotated[str | None, typer.Option(help="Why.")] = None,
    by: Annotated[str | None, typer.Option(help="Who says so; else $USER.")] = None,
    is_list: Annotated[bool, typer.Option("--list", help="Those that hold.")] = False,
    end: Annotated[str | None, typer.Option("--end", metavar="ID", help="End one now.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Hold the messages of incidents that have all of K=V; what still holds at the end of it is sent then."""
    if is_list or end is not None:
        if matchers or (is_list and end is not None):
            raise Problem("--list and --end stand alone", "write otel-guard silence --list", USAGE)
        _list(as_json=json) if end is None else _end(end, as_json=json)
        return
    wanted, span_s = _matchers(matchers or []), _span_s(span)
    if not (comment or "").strip():
        raise Problem("a silence says why", f"write {EXAMPLE}", USAGE)
    ends_at = now() + timedelta(seconds=span_s)
    with writing(needed_dsn()) as database:
        made = silences.add(database, wanted, ends_at, actor(by), safe_text(comment, TEXT_LIMIT))
        row = next(iter(alert_pages.silences(database, made)), {"id": made, "ends_at": ends_at})
    if json:
        emit("silence", {"silence": row})
    else:
        console().print(plain(f"{shown_id(made)} until {_clock(ends_at)}"))


def _list(*, as_json: bool) -> None:
    with reading(needed_dsn()) as database:
        rows = silences.active(database)
    if as_json:
        emit("silence", {"silences": rows})
        return
    if not rows:
        console().print("nothing is silenced", markup=False)
        return
    shown_rows = table("id", "until", "holds", "by", "why")
    shown_rows.columns[4].overflow = "fold"
    for row in rows:
        what = " ".join(f"{key}={value}" for key, value in row["matchers"].items())
        shown_rows.add_row(
            shown_id(row["id"]), _clock(row["ends_at"]), plain(what), plain(row["author"]), plain(row["comment"])
        )
    console().print(shown_rows)


def _end(ending: str, *, as_json: bool) -> None:
    with writing(needed_dsn()) as database:
        row = _chosen(alert_pages.silences(database, ending), ending)
        silences.end(database, row["id"])
    if as_json:
        emit("silence", {"silence": row | {"ends_at": now()}})
    else:
        console().print(plain(f"{shown_id(row['id'])} ended"))


def _chosen(rows: list[Row], ending: str) -> Row:
    if not rows:
        raise Problem(f"no silence {ending!r} holds", "see `otel-guard silence --list`", FAILED)
    if len(rows) > 1:
        which = ", ".join(row["id"] for row in rows)
        raise Problem(f"{len(rows)} silences end in {ending!r}: {which}", "give more of its id", USAGE)
    return rows[0]


def _matchers(given: list[str]) -> Mapping[str, str]:
    pairs = {key.strip(): value.strip() for key, _, value in (each.partition("=") for each in given)}
    if not pairs or not all(key and value for key, value in pairs.items()):
        raise Problem("a silence says what it holds, as K=V", f"write {EXAMPLE}", USAGE)
    return {safe_text(key, TEXT_LIMIT): safe_text(value, TEXT_LIMIT) for key, value in pairs.items()}


def _span_s(span: str | None) -> float:
    if span is None:
        raise Problem("a silence has an end", f"write {EXAMPLE}", USAGE)
    span_s = seconds_of(span)
    if not 0 < span_s <= LONGEST_S:
        raise Problem(f"--for {span} is not within {shown(LONGEST_S)}", "write 2h, and silence again then", USAGE)
    return span_s


def _clock(at: datetime) -> str:
    """23:30 today, with the date on another day; UTC."""
    is_today = at.date() == now().date()
    return f"{at:%H:%M} UTC" if is_today else f"{at:%Y-%m-%d %H:%M} UTC"
