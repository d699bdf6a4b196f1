"""`otel-guard alerts`: the open incidents; one in full."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from otel_guard.cli._acting import age, chosen, row, shown_id
from otel_guard.cli._base import SEVERITY_STYLES, ago, console, emit, moment, needed_dsn, plain, severity, table
from otel_guard.core.incident import Incident
from otel_guard.store import alert_pages
from otel_guard.store.ask import Row
from otel_guard.store.incidents import events
from otel_guard.store.queries import reading

STATES: Final = {"firing": "bold red", "acknowledged": "yellow", "resolved": "green"}
DELIVERY: Final = {"sent": "green", "dead": "red", "superseded": "dim"}
WIDE: Final = 110
_INDENT: Final = (0, 0, 0, 2)
_TOLD: Final = ("text", "resolution", "severity", "rule", "level")


def command(
    given_id: Annotated[str | None, typer.Argument(metavar="ID", help="One in full: its last characters.")] = None,
    *,
    is_all: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show what is open, the worst first; with ID what it is, who was told, and what happened."""
    if given_id is not None:
        _one(given_id, as_json=json)
        return
    with reading(needed_dsn()) as database:
        found = alert_pages.recent(database)
    found = [each for each in found if is_all or each.state != "resolved"]
    if json:
        emit("alerts", {"incidents": [row(each) for each in found]})
        return
    out = console()
    if not found:
        out.print("no incident" if is_all else "no open incident", markup=False)
        return
    out.print(_table(found, is_wide=out.width >= WIDE))
    out.print()
    out.print(plain("otel-guard alerts ID shows one in full · ack ID · resolve ID · note ID TEXT", "dim"))


def limit(incident: Incident) -> str:
    """`37>10`: the value and the limit that it passed."""
    if incident.value is None:
        return ""
    if incident.threshold is None:
        return _number(incident.value)
    sign = "<" if incident.value < incident.threshold else ">"
    return f"{_number(incident.value)}{sign}{_number(incident.threshold)}"


def show(out: Console, incident: Incident, history: list[Row], deliveries: list[Row]) -> None:
    """Print one in full."""
    out.print(plain(incident.message or incident.rule or incident.type, f"bold {SEVERITY_STYLES[incident.severity]}"))
    out.print()
    out.print(_facts(incident))
    if incident.note:
        _section(out, "Note", plain(incident.note))
    if incident.queries:
        _section(out, "Queries", _queries(incident.queries))
    _section(out, "Timeline", _timeline(history))
    _section(
        out, "Messages", _deliveries(deliveries) if deliveries else plain("none: no channel was to be told", "dim")
    )
    if incident.state != "resolved":
        short = shown_id(incident.id)
        acts = [f"ack {short}"] * (incident.state == "firing") + [f"resolve {short}", f"note {short} TEXT"]
        out.print()
        out.print(plain("otel-guard " + " · ".join(acts), "dim"))


def _one(given_id: str, *, as_json: bool) -> None:
    with reading(needed_dsn()) as database:
        incident = chosen(database, given_id)
        history, deliveries = events(database, incident.id), alert_pages.deliveries(database, incident.id)
    if as_json:
        emit("alert", {"incident": row(incident), "events": history, "deliveries": deliveries})
    else:
        show(console(), incident, history, deliveries)


def _table(found: list[Incident], *, is_wide: bool) -> Table:
    names = ("id", "severity", "what", "service", "value", "for", "state", *(("message",) if is_wide else ()))
    shown = table(*names)
    for column in shown.columns:
        column.no_wrap = True
    shown.columns[2].overflow = "ellipsis"
    shown.columns[4].justify = shown.columns[5].justify = "right"
    for each in found:
        cells = [
            plain(shown_id(each.id)),
            severity(each.severity),
            plain(each.rule or each.type),
            plain(each.service),
            plain(limit(each)),
            plain(_lasted(each)),
            plain(_state(each), STATES.get(each.state, "")),
        ]
        shown.add_row(*cells, *((plain(_line(each.message), "dim"),) if is_wide else ()))
    return shown


def _lasted(incident: Incident) -> str:
    return age(incident.impact_started_at or incident.fired_at)


def _state(incident: Incident) -> str:
    if incident.state == "acknowledged":
        return f"ack {incident.acknowledged_by or ''}".strip()
    if incident.state == "resolved":
        return f"over {age(incident.resolved_at)}"
    return incident.state


def _facts(incident: Incident) -> Table:
    where = " · ".join(filter(None, (incident.service, incident.environment, incident.release, incident.context)))
    what = " · ".join(filter(None, (incident.rule or incident.type, limit(incident))))
    told = incident.first_delivered_at
    facts = {
        "state": plain(incident.state, STATES.get(incident.state, "")),
        "severity": severity(incident.severity),
        "what": plain(what),
        "where": plain(where),
        "since": _when(incident.impact_started_at),
        "fired": _when(incident.fired_at),
        "told": _when(told) if told else plain("nobody yet", "yellow") if incident.state == "firing" else plain(""),
        "acknowledged": _when(incident.acknowledged_at, incident.acknowledged_by),
        "over": _when(incident.resolved_at, (incident.resolution or "").replace("_", " ")),
        "seen": plain(f"{incident.occurrences} times" if incident.occurrences > 1 else ""),
        "labels": plain(" ".join(f"{key}={value}" for key, value in incident.labels.items())),
        "id": plain(incident.id),
    }
    return _grid({name: value for name, value in facts.items() if value.plain})


def _when(at: datetime | None, more: str | None = None) -> Text:
    return plain(" · ".join(filter(None, (moment(at), ago(at), more))) if at is not None else "")


def _timeline(history: list[Row]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for is_fixed in (True, True, False):
        grid.add_column(no_wrap=is_fixed, overflow="fold")
    for event in history:
        told = [str(event["detail"][key]) for key in _TOLD if event["detail"].get(key) is not None]
        by = [f"by {event['actor']}"] if event["actor"] else []
        grid.add_row(
            plain(f"{event['at']:%m-%d %H:%M:%S}", "dim"), plain(event["kind"]), plain(" · ".join([*by, *told]))
        )
    return grid


def _deliveries(rows: list[Row]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for is_fixed in (True, True, True, False):
        grid.add_column(no_wrap=is_fixed, overflow="fold")
    for each in rows:
        often = f"{each['attempts']} tries" if each["attempts"] > 1 else ""
        at = f"{each['sent_at']:%m-%d %H:%M:%S}" if each["sent_at"] else ""
        said = " · ".join(filter(None, (at, often, str(each["last_status"] or ""), each["last_error"])))
        state = plain(each["state"], DELIVERY.get(each["state"], "yellow"))
        grid.add_row(plain(each["channel"]), plain(each["kind"]), state, plain(said))
    return grid


def _queries(rows: list[dict[str, object]]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for is_fixed in (True, True, False, False):
        grid.add_column(no_wrap=is_fixed, overflow="fold")
    for each in rows:
        took = each.get("duration")
        cells = (f"{took:.0f} ms" if isinstance(took, int | float) else took, each.get("table"), each.get("place"))
        grid.add_row(*(plain(cell) for cell in cells), plain(_line(str(each.get("query") or "")), "dim"))
    return grid


def _grid(values: Mapping[str, Text]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in values.items():
        grid.add_row(plain(name), value)
    return grid


def _section(out: Console, title: str, body: Table | Text) -> None:
    out.print()
    out.print(plain(title, "bold"))
    out.print(Padding(body, _INDENT, expand=False))


def _line(text: str) -> str:
    return " ".join(text.split())


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) or abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004
