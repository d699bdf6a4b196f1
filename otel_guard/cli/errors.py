"""`otel-guard errors`: what failed."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from otel_guard.cli._base import (
    FAILED,
    SEVERITY_STYLES,
    SHOWN,
    Problem,
    ago,
    console,
    emit,
    moment,
    needed_dsn,
    place,
    plain,
    seconds_of,
    severity,
    table,
    times,
)
from otel_guard.store.queries import Row, error, group, groups, reading, trace

_OURS: Final = frozenset({"trail", "place"})  # shown in their own way
_STEP: Final = ("offset_ms", "context", "name", "duration_ms", "outcome")
_INDENT: Final = (0, 0, 0, 2)


def command(
    given: Annotated[
        str | None, typer.Argument(metavar="ID", help="Of an error or a group, as shown, or whole.")
    ] = None,
    *,
    trace_id: Annotated[str | None, typer.Option("--trace", metavar="HEX", help="The errors of one trace.")] = None,
    since: Annotated[str, typer.Option(help="How far back: 30m, 24h, 7d.")] = "24h",
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show the groups of the last time, worst first; with ID one error in full."""
    if trace_id is not None:
        _of_trace(trace_id, as_json=json)
    elif given is not None:
        _one(given, as_json=json)
    else:
        _groups(since, as_json=json)


def show(out: Console, row: Row, of: Row | None) -> None:
    """Print one error in full, with the facts of its group."""
    style = SEVERITY_STYLES.get(row["severity"], "")
    first, _, more = row["message"].partition("\n")
    out.print(plain(f"{row['error_type']}: {first}" if first else row["error_type"], f"bold {style}".strip()))
    if more.strip():
        out.print(Padding(plain(more.rstrip(), "dim"), _INDENT, expand=False))
    out.print()
    out.print(_facts(row))
    if steps := row["metadata"].get("trail"):
        _section(out, "Before it", _trail(steps))
    if row["stack_trace"]:
        _section(out, "Stack", plain(row["stack_trace"].rstrip()))
    if others := {key: value for key, value in row["metadata"].items() if key not in _OURS}:
        _section(out, "Metadata", _mapping(others))
    if of is not None:
        _section(out, f"Group {of['fingerprint'][:SHOWN]}", plain(_group_facts(of)))


def _groups(since: str, *, as_json: bool) -> None:
    since_s = seconds_of(since)
    with reading(needed_dsn()) as database:
        rows = groups(database, since_s)
    if as_json:
        emit("errors", {"groups": rows})
        return
    out = console()
    if not rows:
        out.print(f"no error in {since}", markup=False)
        return
    out.print(_group_table(rows))
    total = sum(row["n"] for row in rows)
    what = f"{total} error{'s' * (total != 1)} of {len(rows)} kind{'s' * (len(rows) != 1)} in {since}"
    out.print()
    out.print(plain(f"{what} · otel-guard errors ID shows one in full", "dim"))


def _of_trace(trace_id: str, *, as_json: bool) -> None:
    with reading(needed_dsn()) as database:
        rows = trace(database, trace_id)
    if as_json:
        emit("trace", {"errors": rows})
    elif rows:
        console().print(_trace_table(rows))
    else:
        console().print(plain(f"no error in trace {trace_id}"))


def _one(given: str, *, as_json: bool) -> None:
    with reading(needed_dsn()) as database:
        row = error(database, given)
        of = group(database, row["fingerprint"]) if row else None
    if row is None:
        raise Problem(f"no error {given!r} is stored", "see `otel-guard errors` for those there are", FAILED)
    if as_json:
        emit("error", {"group": of, "error": row})
    else:
        show(console(), row, of)


def _group_table(rows: list[Row]) -> Table:
    shown = table("id", "severity", "times", "what", "state", "last")
    for column, is_fixed in zip(shown.columns, (True, True, True, False, True, True), strict=True):
        column.no_wrap = True
        column.ratio = None if is_fixed else 1
    shown.columns[2].justify = "right"
    shown.expand = True
    for row in rows:
        what = plain(" ".join((row["title"] or "").split()))
        state = "new" if row["is_new"] and row["state"] == "open" else row["state"]
        shown.add_row(
            plain(row["fingerprint"][:SHOWN]),
            severity(row["severity"]),
            f"x{row['n']}",
            what,
            state,
            ago(row["last_seen_at"]),
        )
    return shown


def _trace_table(rows: list[Row]) -> Table:
    shown = table("id", "at", "severity", "context", "what")
    shown.columns[4].overflow = "fold"
    for row in rows:
        what = f"{row['error_type']}: {row['message'].partition(chr(10))[0]}"
        often = f" x{row['repeat_count']}" if row["repeat_count"] > 1 else ""
        at = f"{row['created_at']:%H:%M:%S}"
        shown.add_row(
            plain(str(row["id"])[-SHOWN:]), at, severity(row["severity"]), plain(row["context"]), plain(what + often)
        )
    return shown


def _facts(row: Row) -> Table:
    calm = {None: "", True: "handled", False: "unhandled"}[row["handled"]]
    what = " · ".join(filter(None, (row["context"], row["system"], row["operation"], calm)))
    runs = " · ".join(filter(None, (row["service"], row["environment"], row["release"], row["host"])))
    often = f" · {times(row['repeat_count'])}" if row["repeat_count"] > 1 else ""
    facts = {
        "severity": severity(row["severity"]),
        "what": plain(what),
        "when": plain(f"{moment(row['created_at'])} · {ago(row['created_at'])}{often}"),
        "where": plain(place(row["metadata"].get("place"))),
        "route": plain(row["route"]),
        "who": plain(row["user_id"] and f"user {row['user_id']}"),
        "runs": plain(runs),
        "trace": plain(row["trace_id"]),
        "Sentry": plain(row["sentry_event_id"]),
        "caused by": plain(row["caused_by"] and str(row["caused_by"])[-SHOWN:]),
        "id": plain(row["id"]),
    }
    return _grid({name: value for name, value in facts.items() if value.plain})


def _grid(values: Mapping[str, Text]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in values.items():
        grid.add_row(plain(name), value)
    return grid


def _mapping(values: Mapping[str, object]) -> Table:
    return _grid(dict(_flat(values, "")))


def _flat(values: Mapping[str, object], prefix: str) -> Iterator[tuple[str, Text]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key} ")
        else:
            yield f"{prefix}{key}", plain(value)


def _trail(steps: object) -> Table:
    shown = Table.grid(padding=(0, 2, 0, 0))
    for column in _STEP:
        is_number = column.endswith("_ms")
        shown.add_column(justify="right" if is_number else "left", overflow="fold" if column == "name" else "ellipsis")
    for step in steps if isinstance(steps, list) else []:
        values = [step.get(column) for column in _STEP] if isinstance(step, dict) else [*step, *_STEP][: len(_STEP)]
        offset, context, name, duration, outcome = values
        shown.add_row(
            plain(f"+{_number(offset)} ms", "dim"),
            plain(context),
            plain(name),
            plain(f"{_number(duration)} ms", "dim"),
            plain(outcome, "" if outcome == "ok" else "red"),
        )
    return shown


def _number(value: object) -> str:
    return f"{value:.0f}" if isinstance(value, int | float) else str(value)


def _group_facts(of: Row) -> str:
    since = f" in {of['first_release']}" if of["first_release"] else ""
    parts = [
        of["state"],
        times(of["occurrences"]),
        f"first {ago(of['first_seen_at'])}{since}",
        f"last {ago(of['last_seen_at'])}",
    ]
    if of["regressed_at"]:
        parts.append(f"came back {ago(of['regressed_at'])}")
    return " · ".join(parts)


def _section(out: Console, title: str, body: Table | Text) -> None:
    out.print()
    out.print(plain(title, "bold"))
    out.print(Padding(body, _INDENT, expand=False))
