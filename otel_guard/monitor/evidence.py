"""Live evidence for runbooks: each asked for itself, in a second; what does not answer is not available."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from otel_guard.core.exceptions import OtelGuardError
from otel_guard.core.rule import Moment
from otel_guard.core.rules_builtin import RULES
from otel_guard.monitor import evidence_words as words
from otel_guard.monitor.judges.database import judge_database_pressure
from otel_guard.store.ask import Row
from otel_guard.store.judging import Ask

MISSING: Final = "not available"
EACH_MS: Final = 1000
LIVE_S: Final = 150.0
MOST: Final = 3
_PRESSURE: Final = next(rule for rule in RULES if rule.name == "database_pressure")

Lines = Iterable[str]
Values = Mapping[str, object]


class Evidence(Struct, frozen=True, kw_only=True):
    """One statement and how its rows are said; no row: *empty*."""

    question: str
    say: Callable[[Sequence[Row], datetime], Lines]
    empty: str
    values: Mapping[str, object] = {}
    span_h: float | None = None  # `since` and `until`, where the statement asks for them


def _errors(empty: str, hours: float = 1, context: str | None = None, error_class: str | None = None) -> Evidence:
    values = {"hours": hours, "context": context, "error_class": error_class}
    return Evidence(question="runbook_errors", say=words.errors, empty=empty, values=values)


def _calls(name: str, empty: str) -> Evidence:
    return Evidence(question="runbook_calls", say=words.calls, empty=empty, values={"name": name})


def _classes(context: str) -> Evidence:
    empty = f"no failure of {context} in 60 min"
    return Evidence(question="runbook_classes", say=words.classes, empty=empty, values={"context": context})


EVIDENCE: Final[Mapping[str, Evidence]] = {
    "ai_classes": _classes("ai"),
    "ai_share": _calls("gen_ai.client.operation.duration", "no AI call in 25 h"),
    "cache_errors": _errors("no error of the cache in 60 min", context="cache"),
    "channels": Evidence(question="runbook_outbox", say=words.channels, empty="no channel was told anything yet"),
    "database_errors": _errors("no error of the database in 60 min", context="database"),
    "dependencies": Evidence(
        question="judge_dependencies", say=words.dependencies, empty="no live process says anything"
    ),
    "deployments": Evidence(
        question="deploy_recent",
        say=words.deployments,
        empty="none recorded; `otel-guard deploy --release SHA` records one",
        values={"since": None, "until": None, "most": MOST},
    ),
    "drops": Evidence(question="report_drops", say=words.drops, empty="nothing was dropped in 24 h", span_h=24),
    "email_classes": _classes("email"),
    "email_share": _calls("email.client.operation.duration", "no mail in 25 h"),
    "indeterminate": Evidence(
        question="runbook_indeterminate", say=words.indeterminate, empty="no payment without a clear answer in 24 h"
    ),
    "jobs": Evidence(question="judge_heartbeats", say=words.jobs, empty="no job has a heartbeat yet"),
    "job_errors": _errors("no failed job in 24 h", hours=24, context="other"),
    "monitor": Evidence(question="monitor_seen", say=words.monitor, empty="no monitor has run"),
    "n_plus_one": Evidence(
        question="report_n_plus_one", say=words.repeated, empty="none found in 24 h", span_h=24, values={"most": MOST}
    ),
    "new_groups": Evidence(question="runbook_groups", say=words.new_groups, empty="none in 2 h", values={"hours": 2}),
    "payment_classes": _classes("payment"),
    "payment_share": _calls("payment.client.operation.duration", "no payment call in 25 h"),
    "processes": Evidence(question="select_processes", say=words.processes, empty="no process in 24 h"),
    "queues": Evidence(question="judge_queues", say=words.queues, empty="no queue is watched: `guard.health.queue(…)`"),
    "queue_errors": _errors("no failed task in 60 min", context="queue"),
    "rates": Evidence(question="runbook_rates", say=words.rates, empty="no request and no error in 70 min"),
    "rejected": _errors("no refused key in 7 days", hours=168, error_class="auth"),
    "slow_queries": Evidence(
        question="report_slow", say=words.slow, empty="none in 60 min", span_h=1, values={"most": 5}
    ),
    "switches": Evidence(question="select_switches", say=words.switches, empty="nothing is switched off"),
    "top_errors": _errors("no error in 60 min"),
    "webhooks": Evidence(question="runbook_webhooks", say=words.webhooks, empty="no webhook in 14 days"),
    "webhook_share": _calls("payment.webhook.process.duration", "no webhook in 25 h"),
    "webhook_lag": _calls("payment.webhook.lag", "no webhook whose event's time is known in 25 h"),
}
PRESSURE: Final = "pressure"  # asked of the database that is watched
NAMES: Final = frozenset({*EVIDENCE, PRESSURE})


def gather(names: Iterable[str], ask: Ask, watched: Ask, now: datetime) -> dict[str, str]:
    """Markdown by name; *watched* asks the database of `[check.database]`."""
    return {name: _one(name, ask, watched, now) for name in names if name in NAMES}


def _one(name: str, ask: Ask, watched: Ask, now: datetime) -> str:
    try:
        if name == PRESSURE:
            moment = Moment(now=now, gap_s=0.0, period_s=1.0)
            return words.bullets(words.pressure(judge_database_pressure(_PRESSURE, watched, moment)))
        known = EVIDENCE[name]
        rows = ask(known.question, {**_times(known, now), **known.values})
        return words.bullets(known.say(rows, now)) or known.empty
    except OtelGuardError as error:
        return f"{MISSING} ({_short(error)})"


def _times(known: Evidence, now: datetime) -> dict[str, object]:
    span = timedelta(hours=known.span_h) if known.span_h is not None else timedelta(0)
    return {"now": now, "since": now - span, "until": now, "live_since": now - timedelta(seconds=LIVE_S)}


def _short(error: OtelGuardError) -> str:
    text = " ".join(str(error).split())
    return "it took more than a second" if "statement timeout" in text else text[:160]
