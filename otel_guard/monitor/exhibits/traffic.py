"""How calls do: slow ones, loops, AI providers, payments, mails, webhooks."""

from collections.abc import Mapping
from typing import Any, Final

from otel_guard.core.classify import WEBHOOK_DURATION, WEBHOOK_LAG
from otel_guard.core.dependency import label_of
from otel_guard.monitor.exhibits._base import Scene, code, line, listed, named
from otel_guard.monitor.judges._base import counted, percent, place, plain, span, took
from otel_guard.monitor.judges.calls import ANY, milliseconds

HOUR_S: Final = 3600.0
AI_S: Final = 900.0
RECENT_S: Final = 300.0
SILENCE_S: Final = 14 * 86_400.0
TOP: Final = 5
BUSY: Final = 3  # webhooks a day, as the rule's `least`
_MOST: Final = 200
_QUERY: Final = "database_query"
_Q: Final = 0.95


def slow_queries(scene: Scene) -> str:
    """Of the last hour, most time first."""
    rows = [row for row in _slow(scene) if row["type"] == _QUERY]
    return listed((_call(row) for row in rows[:TOP]), "No slow query in the last hour.")


def slow_calls(scene: Scene) -> str:
    """What else was slow in the last hour."""
    rows = [row for row in _slow(scene) if row["type"] != _QUERY]
    return listed((_call(row) for row in rows[:TOP]), "No other slow call in the last hour.")


def n_plus_one(scene: Scene) -> str:
    """Statements asked again and again within one request, in the last hour."""
    rows = scene.ask("runbook_n_plus_one", {**scene.who(), "since": scene.ago(HOUR_S)})
    return listed(
        (
            line(
                f"up to {plain(row['most'])} times in one request",
                f"in {counted(row['n'], 'request')}",
                code(place(row["place"])),
                code(row["query_text"]),
            )
            for row in rows
        ),
        "None in the last hour.",
    )


def ai_calls(scene: Scene) -> str:
    """The share that each provider answers, of the last 15 minutes."""
    rows = _calls(scene, AI_S, context="ai")
    total = sum(row["n"] for row in rows) or 1.0
    return listed(
        (
            line(
                " ".join(filter(None, (code(label_of(row["system"])) or "AI", named(row)))),
                f"{percent(row['n'] / total)} of the calls ({plain(row['n'])})",
                f"{percent(row['errors'] / row['n'])} failed",
                _p95(row),
            )
            for row in rows
        ),
        "No call to an AI provider in the last 15 min.",
    )


def payments(scene: Scene) -> str:
    """Begun in the last hour, by provider."""
    times = {"since": scene.ago(HOUR_S), "until": scene.now, "recent": scene.ago(RECENT_S), "least": 1}
    rows = [row for row in scene.ask("judge_payments", times) if scene.is_of(row) and row["n"]]
    return listed(
        (
            line(
                " ".join(filter(None, (code(row["system"]) or "payments", named(row)))),
                f"{plain(row['failed'])} of {plain(row['n'])} failed ({percent(row['failed'] / row['n'])})",
                f"{plain(row['recent'])} of them in the last 5 min" if row["failed"] else "",
            )
            for row in rows
        ),
        "No payment was begun in the last hour.",
    )


def emails(scene: Scene) -> str:
    """Taken in the last hour, by provider."""
    rows = _calls(scene, HOUR_S, context="email")
    return listed(
        (
            line(
                " ".join(filter(None, (code(row["system"]) or "mails", named(row)))),
                f"{percent(1 - row['errors'] / row['n'])} of {counted(row['n'], 'mail')} taken",
                f"{plain(row['recent_errors'])} refused in the last 5 min" if row["errors"] else "",
                _p95(row),
            )
            for row in rows
        ),
        "No mail in the last hour.",
    )


def webhooks(scene: Scene) -> str:
    """Handled in the last hour, by provider: how long it took, how late they were."""
    lags = {_key(row): row for row in _calls(scene, HOUR_S, names=[WEBHOOK_LAG])}
    rows = _calls(scene, HOUR_S, names=[WEBHOOK_DURATION])
    return listed((_webhook(row, lags.get(_key(row))) for row in rows), "No webhook in the last hour.")


def webhook_silence(scene: Scene) -> str:
    """When each provider's came last, and what the longest gap between two was."""
    times = {"since": scene.ago(SILENCE_S), "until": scene.now, "least": BUSY}
    rows = [row for row in scene.ask("judge_silences", times) if scene.is_of(row)]
    return listed(
        (
            line(
                " ".join(filter(None, (code(row["system"]) or "webhooks", named(row)))),
                f"last {scene.since(row['last_at'])}",
                f"longest gap of 14 days {span(row['gap_s'])}" if row["gap_s"] else "",
            )
            for row in rows
        ),
        "No provider called often enough in 14 days to say what is usual.",
    )


def _slow(scene: Scene) -> list[dict[str, Any]]:
    return scene.ask("select_slow", {"since_s": HOUR_S, "most": _MOST})


def _call(row: Mapping[str, Any]) -> str:
    what = row["query_text"] or " ".join(filter(None, (row["system"], row["operation"]))) or row["type"]
    times = f"p95 {took(row['p95_ms'])}, max {took(row['max_ms'])}" if row["max_ms"] is not None else ""
    return line(f"x{row['n']}", times, code(place(row["place"])), code(what))


def _calls(scene: Scene, seconds: float, **where: object) -> list[dict[str, Any]]:
    """Sums by service and system, most calls first."""
    times = {"since": scene.ago(seconds), "until": scene.now, "recent": scene.ago(RECENT_S)}
    asked = {**times, **ANY, **scene.who(), "names": None, "is_by_system": True, "over_s": None}
    rows = [row for row in scene.ask("judge_calls", {**asked, **where}) if row["n"]]
    return sorted(rows, key=lambda row: -row["n"])


def _webhook(row: Mapping[str, Any], lag: Mapping[str, Any] | None) -> str:
    late = milliseconds(lag["buckets"], _Q, lag["highest"]) if lag is not None else None
    return line(
        " ".join(filter(None, (code(row["system"]) or "webhooks", named(row)))),
        f"{plain(row['n'])} handled",
        f"{plain(row['errors'])} failed" if row["errors"] else "none failed",
        f"{_p95(row)} to handle" if _p95(row) else "",
        f"p95 {took(late)} after the event" if late is not None else "",
    )


def _p95(row: Mapping[str, Any]) -> str:
    found = milliseconds(row["buckets"], _Q, row["highest"])
    return "" if found is None else f"p95 {took(found)}"


def _key(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["service"], row["environment"], row["system"]
