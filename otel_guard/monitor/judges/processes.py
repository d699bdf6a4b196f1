"""Services without a process, records and messages that do not move."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from otel_guard.core.rule import Finding, Moment, Rule
from otel_guard.monitor.judges._base import Ask, Row, ago, counted, finding, percent, span, whose

LIVE_S: Final = 150.0
OLDEST_S: Final = 120.0
FULL: Final = 0.5
DROPS_S: Final = 120.0


def judge_service_silent(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """No process of a service lives, and one did in the rule's window; for a day it is not forgotten."""
    return [_silent(rule, moment, row) for row in _processes(ask, moment)]


def judge_backlog(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """Journals that are old or full, records dropped, secrets found late, messages not sent."""
    found = [each for row in _processes(ask, moment) if row["live"] for each in _journal(rule, moment, row)]
    recent = ago(moment, max(DROPS_S, moment.gap_s))
    found += _drops(rule, ask("judge_drops", {"recent": recent, "until": moment.now}))
    found += _outbox(rule, ask("judge_outbox", {"until": moment.now}))
    return found


def _processes(ask: Ask, moment: Moment) -> list[dict[str, Any]]:
    return ask("judge_processes", {"until": moment.now, "live_since": ago(moment, LIVE_S)})


def _silent(rule: Rule, moment: Moment, row: Row) -> Finding:
    age_s = (moment.now - row["at"]).total_seconds()
    is_recent = age_s <= rule.window_s
    return finding(
        rule,
        "clear" if row["live"] else "bad" if is_recent else "still",
        **whose(row),
        message=f"no process of {row['service'] or 'the service'} has been seen for {span(age_s)}",
        started_at=row["at"] + timedelta(seconds=row["period_s"] or 0.0),
    )


def _journal(rule: Rule, moment: Moment, row: Row) -> Iterator[Finding]:
    oldest_s = row["oldest_s"]
    waits = f"the oldest record waits for {span(oldest_s)}: is Postgres, or Sentry, away?"
    filled = f"the journal is {percent(row['filled'])} full: raise journal.limit_mb, or see what holds it up"
    late = f"{counted(row['late'], 'secret')} found late: see redaction.deny_keys and [[redaction.rule]]"
    for name, is_bad, message, started_at in (
        ("journal", oldest_s > OLDEST_S, waits, ago(moment, oldest_s)),
        ("journal_full", row["filled"] > FULL, filled, None),
        ("redaction", row["late"] > 0, late, None),
    ):
        yield finding(
            rule, "bad" if is_bad else "clear", **whose(row), dimension=name, message=message, started_at=started_at
        )


def _drops(rule: Rule, rows: list[dict[str, Any]]) -> list[Finding]:
    if not rows:
        return []
    n = sum(row["n"] for row in rows)
    why = ", ".join(f"{row['reason']} {row['n']:.0f}" for row in rows[:3])
    return [
        finding(
            rule,
            "bad",
            dimension="drops",
            message=f"{counted(n, 'record')} dropped: {why}",
            started_at=min((row["first_at"] for row in rows if row["first_at"]), default=None),
        )
    ]


def _outbox(rule: Rule, rows: list[dict[str, Any]]) -> list[Finding]:
    return [
        finding(
            rule,
            "bad",
            dimension="outbox",
            message=f"{counted(row['n'], 'message')} for {', '.join(row['channels'])} not sent for more than 5 min",
            started_at=row["first_at"],
        )
        for row in rows
    ]
