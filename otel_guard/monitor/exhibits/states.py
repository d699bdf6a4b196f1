"""How things stand now: the database, dependencies, switches, jobs, processes, queues."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from otel_guard.core.dependency import PROVIDER_PREFIX, label_of
from otel_guard.core.duration import shown
from otel_guard.core.overall import median
from otel_guard.core.rule import Moment, Rule
from otel_guard.core.rules_builtin import RULES
from otel_guard.monitor.exhibits._base import Scene, code, line, listed, named, said
from otel_guard.monitor.judges._base import counted, percent, plain, span
from otel_guard.monitor.judges.database import judge_database_pressure
from otel_guard.monitor.judges.heartbeats import judge_heartbeat_missed

LIVE_S: Final = 150.0
_CURE: Final = ": "  # what a bad one says to do
_RULES: Final[Mapping[str, Rule]] = {rule.name: rule for rule in RULES}
_URGENCY: Final = ("unhealthy", "degraded", "unknown")


def inspections(scene: Scene) -> str:
    """What Postgres says of its clients; the bad ones first, with their statement."""
    moment = Moment(now=scene.now, gap_s=0.0, period_s=1.0)
    found = judge_database_pressure(_RULES["database_pressure"], scene.inspect, moment)
    lines = [
        line(
            f"**too much**: {said(each.message)}"
            if each.state == "bad"
            else f"fine: {said(each.message.partition(_CURE)[0])}",
            *(code(query["query"]) for query in each.queries if each.state == "bad"),
        )
        for each in sorted(found, key=lambda each: each.state != "bad")
    ]
    return listed(lines, "Nothing to see.")


def dependencies(scene: Scene) -> str:
    """All of the live processes, the worst first; those that do well in one line."""
    return _dependencies(scene, is_all=True)


def providers(scene: Scene) -> str:
    """The AI providers."""
    return _dependencies(scene, is_all=False)


def switches(scene: Scene) -> str:
    """What was switched off by hand or by itself."""
    rows = [row for row in scene.ask("select_switches", {}) if not row["enabled"]]
    return listed(
        (
            line(
                f"**{code(row['name'])} paused** {scene.since(row['changed_at'])}",
                f"by {code(row['changed_by'])}" if row["changed_by"] else "",
                code(row["reason"]),
                f"until {row['expires_at']:%H:%M} UTC" if row["expires_at"] else "",
            )
            for row in rows
        ),
        "Nothing is paused.",
    )


def heartbeats(scene: Scene) -> str:
    """Jobs, those that were missed first."""
    rows = [row for row in scene.ask("judge_heartbeats", {}) if scene.is_of(row)]
    moment = Moment(now=scene.now, gap_s=0.0, period_s=1.0)
    judged = judge_heartbeat_missed(_RULES["heartbeat_missed"], lambda _name, _parameters: rows, moment)
    late = [found.state == "bad" for found in judged]
    ordered = sorted(zip(late, rows, strict=True), key=lambda each: not each[0])
    return listed(
        (
            line(
                " ".join(filter(None, ("**missed**" if is_late else "fine", code(row["name"]), named(row)))),
                f"last beat {scene.since(row['at'])}",
                f"every {shown(row['period_s'])}",
            )
            for is_late, row in ordered
        ),
        "No job is watched: `otel-guard heartbeat NAME -- CMD` watches one.",
    )


def processes(scene: Scene) -> str:
    """Services, those without a live process first."""
    rows = scene.ask("judge_processes", {"live_since": scene.ago(LIVE_S), "until": scene.now})
    wanted = sorted((row for row in rows if scene.is_of(row)), key=lambda row: row["live"] > 0)
    return listed(
        (
            line(
                " ".join(filter(None, (code(row["service"]) or "processes", code(row["environment"])))),
                f"{counted(row['live'], 'live process', 'live processes')}" if row["live"] else "**none lives**",
                f"last sign {scene.since(row['at'])}",
                f"oldest record in the journal {span(row['oldest_s'])}, {percent(row['filled'])} full"
                if row["live"]
                else "",
            )
            for row in wanted
        ),
        "No process has written a sign of life in the last day.",
    )


def queues(scene: Scene) -> str:
    """How many jobs wait, the deepest first."""
    rows = [row for row in scene.ask("judge_queues", {"live_since": scene.ago(LIVE_S)}) if scene.is_of(row)]
    return listed(
        (
            line(
                " ".join(filter(None, (code(row["name"]), named(row)))),
                "depth not known" if row["depth"] is None else f"{plain(row['depth'])} waiting",
                f"asked {scene.since(row['at'])}",
            )
            for row in sorted(rows, key=lambda row: -(row["depth"] or 0.0))
        ),
        "No queue is watched: `guard.health.queue(name, depth)` watches one.",
    )


def _dependencies(scene: Scene, *, is_all: bool) -> str:
    rows: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in scene.ask("judge_dependencies", {"live_since": scene.ago(LIVE_S)}):
        is_wanted = is_all or row["name"].startswith(PROVIDER_PREFIX)
        if is_wanted and scene.is_of(row) and row["status"] not in {"not_configured", "disabled"}:
            rows[row["service"], row["environment"], row["name"]].append(row)
    states = {key: median([row["status"] for row in found]) for key, found in rows.items()}
    bad = [key for status in _URGENCY for key in sorted(states) if states[key] == status]
    lines = [_dependency(scene, rows[key], states[key]) for key in bad]
    fine = defaultdict(list)
    for key in sorted(states):
        if states[key] == "healthy":
            fine[key[0]].append(code(label_of(key[2])))
    lines += [line("healthy " + " ".join(filter(None, (named({"service": name}) + ":", ", ".join(names)))))
              for name, names in fine.items()]  # fmt: skip
    return listed(lines, "No live process has told of any.")


def _dependency(scene: Scene, rows: Sequence[Mapping[str, Any]], status: str) -> str:
    saying = [row for row in rows if row["status"] == status] or rows
    since = min((row["changed_at"] for row in saying if row["changed_at"]), default=None)
    return line(
        " ".join(filter(None, (f"**{status}** {code(label_of(rows[0]['name']))}", named(rows[0])))),
        f"since {scene.since(since).removesuffix(' ago')}" if since is not None else "",
        f"in {len(saying)} of {counted(len(rows), 'process', 'processes')}" if len(rows) > 1 else "",
        code(next((row["message"] for row in saying if row["message"]), None)),
    )
