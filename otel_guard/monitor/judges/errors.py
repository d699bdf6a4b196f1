"""Rules that count errors."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from msgspec.structs import replace

from otel_guard.core.record import CONTEXTS, Context
from otel_guard.core.rule import Finding, Moment, Rule
from otel_guard.core.rule_words import limit
from otel_guard.monitor.judges._base import (
    Ask,
    Reading,
    Row,
    counted,
    finding,
    is_beyond,
    last,
    place,
    plain,
    state_of,
    times,
    whose,
)
from otel_guard.monitor.judges._where import described, filters, whole

EXACT_S: Final = 48 * 3600.0
MOST_FINGERPRINTS: Final = 50
_ONLY_ROWS_KNOW: Final = frozenset({"system", "operation", "route", "error_class"})


def judge_error_burst(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """Many errors of any severity; those that are the customers' news don't count."""
    return _judge(rule, ask, moment, is_burst=True)


def judge_errors(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """A rule of the user over `errors`."""
    return _judge(rule, ask, moment, is_burst=False)


def top(rows: Sequence[Row] | None) -> tuple[str, ...]:
    """Lines such as "`OperationalError` x31 shop/orders.py:88"."""
    return tuple(
        " ".join(filter(None, (f"`{short(row['error_type'])}`", f"x{plain(row['n'])}", place(row["place"]))))
        for row in rows or ()
    )


def short(error_type: str | None) -> str:
    """The class without its module."""
    return (error_type or "error").rpartition(".")[2]


def _judge(rule: Rule, ask: Ask, moment: Moment, *, is_burst: bool) -> list[Finding]:
    asked = {**times(rule, moment), **filters(rule), "is_without_quiet": is_burst}
    rows = _counts(rule, ask, asked)
    if rule.below is not None:
        return [_absence(rule, ask, moment, asked, rows)]
    return [_finding(rule, ask, moment, asked, row, is_burst=is_burst) for row in rows]


def _counts(rule: Rule, ask: Ask, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows by service; of long windows by the hours, and what happened in the last moments by the rows."""
    if rule.window_s <= EXACT_S or _ONLY_ROWS_KNOW & set(rule.where):
        return ask("judge_errors", asked)
    until, recent = asked["until"], asked["recent"]
    fresh = {
        (row["service"], row["environment"]): row["recent"]
        for row in ask("judge_errors", {**asked, "since": recent, "reach": until})
    }
    hours = ask("judge_errors_hours", asked)
    return [{**row, "n_now": row["n"], "recent": fresh.get((row["service"], row["environment"]), 0.0)} for row in hours]


def _finding(rule: Rule, ask: Ask, moment: Moment, asked: Mapping[str, Any], row: Row, *, is_burst: bool) -> Finding:
    fresh = Reading(value=row["n"], goes_on=row["recent"] > 0, must_end=is_burst)
    # What fires is the fullest window since the last cycle, what clears is the one that ends now.
    is_fired = state_of(rule, moment, fresh) == "bad"
    value = row["n"] if is_fired else row["n_now"]
    now = Reading(value=value, goes_on=row["recent"] > 0, must_end=is_burst)
    told = finding(
        rule,
        "bad" if is_fired else state_of(rule, moment, now),
        value,
        **whose(row),
        message=_message(rule, value, is_burst=is_burst),
        started_at=row["first_at"],
    )
    if told.state != "bad":
        return told
    return replace(told, **_detail(rule, ask, asked, row))


def _detail(rule: Rule, ask: Ask, asked: Mapping[str, Any], row: Row) -> dict[str, Any]:
    """What is told of a burst beside its number."""
    found = ask(
        "judge_errors_detail",
        {
            **asked,
            "first_at": max(row["first_at"], asked["until"] - timedelta(seconds=EXACT_S)),
            "of_service": row["service"],
            "of_environment": row["environment"],
            "limit": limit(rule) or 0.0,
        },
    )[0]
    prints, systems = found["fingerprints"] or [], found["systems"] or []
    labels = {}
    if prints and len(prints) <= MOST_FINGERPRINTS:  # a list cut short would say that all are known
        labels["fingerprints"] = ",".join(prints)
    if len(systems) == 1 and systems[0]:
        labels["system"] = systems[0]
    return {
        "top": top(found["top"]),
        "context": one_context(found["contexts"]),
        "labels": labels,
        "ingested_at": found["ingested_at"],
        "release": found["release"],
    }


def one_context(contexts: Sequence[str | None] | None) -> Context | None:
    """The context that all share, if they do."""
    found = set(contexts or ())
    return next((context for context in CONTEXTS if found == {context}), None)


def _absence(rule: Rule, ask: Ask, moment: Moment, asked: Mapping[str, Any], rows: Sequence[Row]) -> Finding:
    """Fewer than should be; over all services, for who is silent has no rows."""
    value = sum(row["n_now"] for row in rows)
    state = state_of(rule, moment, Reading(value=value, is_absence=True))
    started_at = None
    if is_beyond(rule, value):
        started_at = due(rule, ask("judge_last_error", asked), moment)
    return finding(
        rule, state, value, **whole(rule), message=_message(rule, value, is_burst=False), started_at=started_at
    )


def due(rule: Rule, newest: Sequence[Row], moment: Moment) -> Any:
    """When the next one was due, by the *newest* before the window; else now."""
    at = newest[0]["at"] if newest else None
    if at is None or rule.below is None or rule.below > 1:
        return moment.now
    return min(at + timedelta(seconds=rule.window_s), moment.now)


def _message(rule: Rule, value: float, *, is_burst: bool) -> str:
    said = counted(value, "error") if value else "no error"
    return f"{said}{'' if is_burst else described(rule)} in {last(rule.window_s)}"
