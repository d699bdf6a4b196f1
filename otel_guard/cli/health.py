"""`otel-guard health`: how the application is, and what it depends on."""

import os
import random
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from otel_guard.cli._base import FAILED, USAGE, Problem, console, emit, needed_dsn, now, plain, settings, table
from otel_guard.core.dependency import label_of
from otel_guard.core.traffic import metrics
from otel_guard.health import fleet, rendering
from otel_guard.health.listing import listed
from otel_guard.health.probing import Probes
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.http import NoAnswerError, request
from otel_guard.settings import Settings
from otel_guard.settings.checks import checks
from otel_guard.store import dependencies
from otel_guard.store.ask import ask
from otel_guard.store.queries import reading

STYLES: Final = {"healthy": "green", "degraded": "yellow", "unhealthy": "bold red", "unknown": "dim"}
_URGENT: Final = ("unhealthy", "degraded", "unknown")
BODY_LIMIT: Final = 256 * 1024
POLL_S: Final = 0.02
_QUIET: Final = frozenset({"not_configured", "disabled"})
Body = dict[str, Any]


def command(
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 if degraded, too.")] = False,
    probe: Annotated[bool, typer.Option("--probe", help="Ask everything in [check.*] from here, now.")] = False,
    url: Annotated[str | None, typer.Option(help="Ask this application's /health instead of Postgres.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, the body of /health.")] = False,
) -> None:
    """Show what all processes told in the last minutes; exit 1 if unhealthy."""
    if probe and url:
        raise Problem("--probe and --url exclude each other", "leave one out", USAGE)
    given = settings()
    body = _from_url(url, given) if url else _from_probes(given) if probe else _from_postgres(given)
    if json:
        emit("health", body)
    else:
        _show(body)
    bad = {"unhealthy", "unknown", "degraded"} if strict else {"unhealthy", "unknown"}
    raise typer.Exit(FAILED if body["status"] in bad else 0)


def _from_postgres(given: Settings) -> Body:
    with reading(needed_dsn(given)) as database:
        processes = dependencies.live_windows(database)
        switches = {row["name"]: row["enabled"] for row in ask(database, "select_switches")}
        found = fleet.body(
            dependencies.live_statuses(database),
            processes,
            dependencies.monitor_seen(database),
            {"payments": True} | switches,
        )
    return _with_time(found) | {"processes": len({row["instance"] for row in processes})}


def _from_probes(given: Settings) -> Body:
    named = checks(given, os.environ)
    wanted = listed(named)
    if not wanted:
        raise Problem("no [check.*] table names anything to ask", "add one to otel_guard.toml", USAGE)
    probes = Probes(SYSTEM, random.random)
    for check in wanted:
        probes.add(check)
    while not all(probes.has_said(check.name) for check in wanted):
        probes.step(lambda _check: True)
        SYSTEM.sleep(POLL_S)
    answers = {check.name: probes.answered(check.name) for check in wanted}
    verdicts = {name: rendering.probed(answer.probe) for name, answer in answers.items() if answer is not None}
    entries = rendering.services(verdicts, [check.name for check in wanted if check.is_critical], {}, {}, {})
    body = {"status": rendering.verdict_of(entries), "scope": "process", "services": entries, "metrics": metrics(())}
    return _with_time(body)


def _from_url(url: str, given: Settings) -> Body:
    where = url if urlsplit(url).path.strip("/") else f"{url.rstrip('/')}/health"
    headers = {"Authorization": f"Bearer {given.health.token}"} if given.health.token else {}
    try:
        answer = request("GET", where, headers, limit_bytes=BODY_LIMIT)
        body: Body = msgspec.json.decode(answer.body, type=dict[str, Any])
    except NoAnswerError as error:
        raise Problem(f"{where}: {error}", "is the application running there?", FAILED) from error
    except msgspec.MsgspecError as error:
        raise Problem(
            f"{where} answered {answer.status}, and no health", "give the address of /health", FAILED
        ) from error
    if "status" not in body:
        raise Problem(f"{where} answered {answer.status}, and no health", "give the address of /health", FAILED)
    return body


def _with_time(body: Body) -> Body:
    return {"status": body["status"], "version": "unknown", "timestamp": now(), **body}


def _show(body: Body) -> None:
    out = console()
    line = Text(body["status"], style=STYLES.get(body["status"], ""))
    out.print(line.append(f"  {reasons(body)}", style=""))
    if entries := {name: entry for name, entry in body.get("services", {}).items() if entry["status"] not in _QUIET}:
        out.print()
        out.print(_table(entries))


def reasons(body: Body) -> str:
    """Why it is so, in a line."""
    entries = body.get("services", {})
    bad = [name for name, entry in entries.items() if entry["status"] in {"unhealthy", "degraded"}]
    bad += [name for name, entry in entries.items() if entry["status"] == "unknown" and entry.get("critical")]
    if bad := sorted(bad, key=lambda name: (_URGENT.index(entries[name]["status"]), not entries[name].get("critical"))):
        return " · ".join(f"{name}: {entries[name].get('message') or entries[name]['status']}" for name in bad)
    if body["status"] == "unknown":
        return "no process has told its health in the last 150 s"
    if (count := body.get("processes")) is not None:
        return f"{count} process{'' if count == 1 else 'es'}"
    return "" if entries else "details are shown to those who have OTEL_GUARD_HEALTH_TOKEN"


def _table(entries: Body) -> Table:
    shown = table("what", "status", "ms", "errors", "calls", "")
    for column in shown.columns[2:5]:
        column.justify = "right"
    for name, entry in entries.items():
        _row(shown, f"{name} *" if entry.get("critical") else name, entry)
        for provider in entry.get("providers", ()):
            if provider["status"] not in _QUIET:
                _row(shown, f"  {label_of(provider['provider'])}", provider)
    return shown


def _row(shown: Table, name: str, entry: Body) -> None:
    rate, latency = entry.get("error_rate"), entry.get("latency_ms")
    said = [entry.get("message") or entry.get("error"), entry.get("circuit"), _switch(entry)]
    shown.add_row(
        plain(name),
        plain(entry["status"], STYLES.get(entry["status"], "")),
        "" if latency is None else f"{latency:.0f}",
        "" if rate is None else f"{rate:.1%}",
        str(entry.get("samples", "")),
        plain(", ".join(filter(None, said)), "dim"),
    )


def _switch(entry: Body) -> str | None:
    return "paused" if entry.get("switch") == "paused" else None
