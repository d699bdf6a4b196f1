"""How the watch itself stands: monitor, channels, what waits, open incidents."""

from typing import Final

from otel_guard.monitor.exhibits._base import Scene, code, line, listed, named, said
from otel_guard.monitor.judges._base import counted, percent, plain, span

DAY_S: Final = 86_400.0
LIVE_S: Final = 150.0
LATE_S: Final = 120.0  # a record that old in a journal is a backlog
LATE: Final = 3.0  # periods without a cycle
ID: Final = 6


def monitor(scene: Scene) -> str:
    """Its last cycle, leader, retention."""
    rows = scene.ask("health_select_monitor", {})
    if not rows:
        return "No monitor has ever run: `otel-guard monitor --once` runs a cycle."
    row, leader = rows[0], scene.ask("select_monitor", {})[0]["leader"]
    period_s = row["period_s"] or 0.0
    is_late = period_s > 0 and row["age_s"] > LATE * period_s
    retention_s = row["retention_age_s"]
    return listed(
        [
            line(
                f"{'**late**: ' if is_late else ''}last cycle {span(row['age_s'])} ago",
                f"every {span(period_s)}" if period_s else "",
                f"leader {code(leader)}" if leader else "no leader now (cron, or it is gone)",
            ),
            line("retention never ran" if retention_s is None else f"retention {span(retention_s)} ago"),
        ],
        "",
    )


def channels(scene: Scene) -> str:
    """Each with its last success and what waits for it."""
    outbox = {row["channel"]: row for row in scene.ask("runbook_outbox", {"since": scene.ago(DAY_S)})}
    states = {row["channel"]: row for row in scene.ask("channel_states", {})}
    lines = []
    for name in sorted({*outbox, *states}):
        state, waits = states.get(name, {}), outbox.get(name, {})
        failures = state.get("failures") or 0
        verdict = "**dead**" if state.get("is_dead") else "**failing**" if failures else "fine"
        lines.append(
            line(
                f"{verdict} {code(name)}",
                f"last taken {scene.since(state.get('last_ok_at'))}",
                f"{counted(failures, 'failure')} in a row" if failures else "",
                f"{counted(waits['waiting'], 'message waits', 'messages wait')}" if waits.get("waiting") else "",
                f"{counted(waits['dead'], 'message')} given up" if waits.get("dead") else "",
                code(waits.get("last_error")) if failures or state.get("is_dead") else "",
            )
        )
    return listed(lines, "No channel has been used yet: set `SLACK_WEBHOOK_URL`, then `otel-guard test-alert`.")


def backlog(scene: Scene) -> str:
    """Records in journals, drops of the last day, messages in the outbox."""
    lines = []
    for row in scene.ask("judge_processes", {"live_since": scene.ago(LIVE_S), "until": scene.now}):
        if scene.is_of(row) and row["oldest_s"] > LATE_S:
            lines.append(
                line(
                    f"**journal** {named(row)}: oldest record {span(row['oldest_s'])}", f"{percent(row['filled'])} full"
                )
            )
        if scene.is_of(row) and row["late"]:
            lines.append(
                line(f"**secret** {named(row)}: {plain(row['late'])} found only before Postgres (redacted_late)")
            )
    lines.extend(
        line(
            f"**dropped**: {counted(row['n'], 'record')}, {code(row['reason'])}", f"last {scene.since(row['last_at'])}"
        )
        for row in scene.ask("judge_drops", {"recent": scene.ago(DAY_S), "until": scene.now})
    )
    for row in scene.ask("runbook_outbox", {"since": scene.ago(DAY_S)}):
        if row["waiting"]:
            waits = counted(row["waiting"], "message waits", "messages wait")
            lines.append(line(f"**outbox**: {waits} for {code(row['channel'])}", f"since {scene.since(row['since'])}"))
    return listed(lines, "Nothing waits.")


def incidents(scene: Scene) -> str:
    """Those that are open, the worst first."""
    found = [row["incident"] for row in scene.ask("incident_list_open", {})]
    return listed(
        (
            line(
                f"{code(each['id'][-ID:])} {each['severity']} {code(each['rule'] or each['type'])}",
                named(each),
                "acknowledged" if each["state"] == "acknowledged" else "",
                said((each["message"] or "")[:200]),
            )
            for each in found
            if each["state"] != "pending" and scene.is_of(each)
        ),
        "No incident is open.",
    )
