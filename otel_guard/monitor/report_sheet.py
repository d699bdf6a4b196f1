"""The weekly report as titles, sentences and tables, which each format draws in its way."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from otel_guard.monitor import report_words as say
from otel_guard.monitor.report_sections import N_PLUS_ONE
from otel_guard.monitor.report_sheet_incidents import incidents
from otel_guard.monitor.report_table import Part, Table, columns

FINGERPRINT: Final = 6
RELEASE: Final = 12
_NOT_KNOWN: Final = "not available: it took too long to count"


class Sheet(Struct, frozen=True, kw_only=True):
    """A whole report."""

    title: str
    headline: str
    parts: tuple[Part, ...]
    note: str = ""


def sheet(report: Mapping[str, Any]) -> Sheet:
    """Lay *report* out."""
    so_far = "" if report["is_whole"] else ", so far"
    parts = (
        _errors(report),
        _groups(report["groups"]),
        _slow(report["slow"]),
        incidents(report["incidents"]),
        _deployments(report["deployments"]),
        _monitor(report["monitor"]),
    )
    again = f"otel-guard report --week {report['week']}"
    return Sheet(
        title=f"Week {report['week']}: {say.days(report)}{so_far}",
        headline=headline(report),
        parts=parts,
        note=f"Some of it took too long to count: {again}" if report["missing"] else "",
    )


def headline(report: Mapping[str, Any]) -> str:
    """`412 errors (-18 %), 3 new`."""
    errors, groups, fired = report["errors"], report["groups"], report["incidents"]["fired"]
    if _is_nothing(report):
        return "nothing recorded"
    last = errors["last_week"] or {}
    changed = say.change(errors["n"], last.get("n"))
    parts = [say.counted(errors["n"], "error") + (f" ({changed})" if changed else "")]
    parts += [f"{say.number(groups['new_n'])} new"] if groups["new_n"] is not None else []
    parts += [f"{groups['regressed_n']} back"] if groups["regressed_n"] else []
    parts += [f"{groups['escalating_n']} escalating"] if groups["escalating_n"] else []
    parts += [say.counted(fired, "incident")] if fired else []
    return ", ".join(parts)


def _is_nothing(report: Mapping[str, Any]) -> bool:
    errors = report["errors"]
    return not errors["n"] and not errors["requests"] and not report["incidents"]["fired"] and not errors["dropped"]


def _errors(report: Mapping[str, Any]) -> Part:
    errors, since = report["errors"], say.at(report.get("recorded_since"))
    if _is_nothing(report):
        return Part("Errors", (_why_nothing(since, say.at(report["until"])),))
    last, middle = errors["last_week"] or {}, errors["median"] or {}
    rows = [
        _compared("errors", say.number, "n", errors, last, middle),
        _compared("requests that failed", say.share, "rate", errors, last, middle),
        _compared("users who met one", say.number, "users", errors, last, middle),
    ]
    made = columns(("", "this week", "last week", "change", f"median of {errors['weeks']}"), rows, right=(1, 2, 3, 4))
    lines = [] if errors["last_week"] else ["There is no earlier week to compare with yet."]
    return Part("Errors", (*lines, _dropped(errors["dropped"])), (made,) if made else ())


def _why_nothing(since: datetime | None, until: datetime | None) -> str:
    if since is None:
        return "Errors come with `otel-guard run -- CMD`, or `otel_guard.configure()` in your application."
    if until is not None and since >= until:
        return f"Nothing was recorded before {since:%a %d %b %Y}."
    return "No error, and no request either."


def _compared(
    name: str, shown: Any, key: str, errors: Mapping[str, Any], last: Mapping[str, Any], middle: Mapping[str, Any]
) -> tuple[str, ...]:
    then = shown(last[key]) if last.get(key) is not None else ""
    usual = shown(middle[key]) if middle.get(key) is not None else ""
    value = shown(errors[key]) or "no request"
    return name, value, then, say.change(errors[key], last.get(key)), usual


def _dropped(rows: Sequence[Mapping[str, Any]] | None) -> str:
    if rows is None:
        return f"Dropped: {_NOT_KNOWN}."
    if not rows:
        return "Nothing was dropped."
    parts = [
        f"{say.counted(row['n'], row['kind'].replace('_', ' '))} ({row['reason'].replace('_', ' ')})"
        for row in rows[:5]
    ]
    return f"Dropped: {say.listed(parts)}."


def _groups(found: Mapping[str, Any]) -> Part:
    tables: list[Table] = []
    lines: list[str] = []
    for key, title in (("new", "New"), ("regressed", "Back after they were resolved"), ("escalating", "Escalating")):
        rows = found[key]
        if rows is None:
            lines.append(f"{title}: {_NOT_KNOWN}.")
        elif rows:
            more = found[f"{key}_n"] - len(rows)
            tables += _group_table(title + (f" ({more} more)" if more > 0 else ""), rows, has_mean=key == "escalating")
    if found["new"] == found["regressed"] == found["escalating"] == []:
        lines.append("No kind of error is new, back or escalating.")
    if found["top"] is None:
        lines.append(f"Top ten by users: {_NOT_KNOWN}.")
    elif found["top"]:
        tables += _group_table("Top ten by users", found["top"], has_users=True)
    if oldest := found["oldest_critical"]:
        lines.append(
            f"Oldest open critical: {oldest['fingerprint'][:FINGERPRINT]} {oldest['title']}, since "
            f"{say.when(oldest['first_seen_at'])}, last {say.when(oldest['last_seen_at'])}."
        )
    return Part("Kinds of errors", tuple(lines), tuple(tables))


def _group_table(
    title: str, rows: Iterable[Mapping[str, Any]], *, has_users: bool = False, has_mean: bool = False
) -> list[Table]:
    names = ("id", "severity", "times", *(("users",) * has_users), *(("usual",) * has_mean), "what", "where")
    cells = [
        (
            row["fingerprint"][:FINGERPRINT],
            row["severity"] or "",
            f"x{say.number(row['n'])}",
            *((say.number(row["users"]),) if has_users else ()),
            *((f"x{say.number(round(row['mean'], 1))}",) if has_mean else ()),
            row["title"],
            row["place"] or "",
        )
        for row in rows
    ]
    made = columns(names, cells, right=tuple(range(2, len(names) - 2)), wide=len(names) - 2, title=title)
    return [made] if made else []


def _slow(found: Mapping[str, Any]) -> Part:
    kinds = {row["type"]: row for row in found["kinds"] or ()}
    last = found["last_week"] or {}
    counts = [
        _kind(name, row["n"]) + (f" (last week {say.number(last[name])})" if last.get(name) else "")
        for name, row in kinds.items()
    ]
    line = f"{say.listed(counts)}." if counts else "No slow query, no N+1; `slow.database_ms` says what is slow."
    if found["kinds"] is None:
        line = f"Slow calls: {_NOT_KNOWN}."
    queries = [
        (
            say.number(row["n"]),
            say.milliseconds(row["p95_ms"]),
            say.milliseconds(row["max_ms"]),
            row["table_name"] or "",
            row["query"],
            row["place"] or "",
        )
        for row in found["queries"] or ()
    ]
    repeated = [
        (say.number(row["n"]), f"x{say.number(row['highest'])}", row["route"] or "", row["query"], row["place"] or "")
        for row in found["n_plus_one"] or ()
    ]
    tables = (
        columns(
            ("n", "p95", "max", "table", "query", "where"), queries, right=(0, 1, 2), wide=4, title="Most time in all"
        ),
        columns(
            ("found", "most", "route", "query", "where"),
            repeated,
            right=(0, 1),
            wide=3,
            title="N+1, within one request",
        ),
    )
    return Part("Slow queries", (line,), tuple(table for table in tables if table))


def _kind(name: str, n: int) -> str:
    if name == N_PLUS_ONE:
        return say.counted(n, "N+1 finding")
    if name == "database_query":
        return say.counted(n, "slow query", "slow queries")
    context = name.removesuffix("_call")
    return say.counted(n, f"slow {'AI' if context == 'ai' else context} call")


def _deployments(rows: Sequence[Mapping[str, Any]] | None) -> Part:
    if rows is None:
        return Part("Deployments", (f"Deployments: {_NOT_KNOWN}.",))
    if not rows:
        return Part("Deployments", ("None recorded: `otel-guard deploy --release SHA` in your pipeline records one.",))
    cells = [
        (
            say.when(row["at"]),
            row["service"] or "all",
            (row["release"] or "")[:RELEASE],
            _effect(row, "before"),
            _effect(row, "after"),
            say.number(row["new_groups"]),
            "; ".join(row["new_titles"]),
        )
        for row in rows
    ]
    names = ("at (UTC)", "service", "release", "60 min before", "60 min after", "new", "kinds first seen")
    made = columns(names, cells, right=(3, 4, 5), wide=6)
    return Part("Deployments", (), (made,) if made else ())


def _effect(row: Mapping[str, Any], side: str) -> str:
    """The share of requests that failed, if there were any before and after, else how many errors there were."""
    rates = (row["rate_before"], row["rate_after"])
    return say.counted(row[f"errors_{side}"], "error") if None in rates else say.share(row[f"rate_{side}"])


def _monitor(found: Mapping[str, Any]) -> Part:
    if found["last_cycle_at"] is None:
        return Part("The monitor", ("No monitor has run: `otel-guard monitor` judges the rules and tells you.",))
    lines = []
    if counts := found["watched"]:
        gaps = (
            f"{say.counted(counts['gaps'], 'gap')}, {say.lasting(counts['gap_s'])} in all, "
            f"the longest {say.lasting(counts['longest_s'])}"
            if counts["gaps"]
            else "no gap"
        )
        lines.append(f"{say.counted(counts['cycles'], 'cycle')}, {gaps}.")
    lines.append(f"Last cycle: {say.when(found['last_cycle_at'])} UTC.")
    sent = [f"{row['channel']} {say.number(row['sent'])}" for row in found["messages"] or () if row["sent"]]
    dead = [f"{row['channel']} {say.number(row['dead'])}" for row in found["messages"] or () if row["dead"]]
    lines.append(f"Messages sent: {say.listed(sent)}." if sent else "No message was sent.")
    lines += [f"Not taken by their channel: {say.listed(dead)}; see `otel-guard test-alert`."] if dead else []
    return Part("The monitor", tuple(lines))
