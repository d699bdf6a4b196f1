"""Rules of single kinds of errors: critical, new, back."""

from datetime import timedelta
from typing import Any, Final

from otel_guard.core.redaction import redact
from otel_guard.core.rule import Finding, Moment, Rule, severity_of
from otel_guard.monitor.judges._base import Ask, Row, ago, finding, place, whose
from otel_guard.monitor.judges.errors import one_context, short

TITLE: Final = 120
# The fast path has had this time to open the incident itself, with its own count.
SETTLED_S: Final = 10.0


def judge_critical_error(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """What the fast path alerts of at once, also by rows that others inserted; under the fast path's keys."""
    rows = ask(
        "judge_critical",
        {
            "recent": ago(moment, max(rule.window_s, moment.gap_s)),
            "settled": ago(moment, SETTLED_S),
            "until": moment.now,
            "rule": rule.name,
        },
    )
    return [_critical(rule, row) for row in rows]


def judge_new_issue(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """A kind that was never seen before."""
    return _issues(rule, ask, moment, is_regression=False)


def judge_regressed_issue(rule: Rule, ask: Ask, moment: Moment) -> list[Finding]:
    """A kind that was resolved."""
    return _issues(rule, ask, moment, is_regression=True)


def _critical(rule: Rule, row: Row) -> Finding:
    is_bad = row["is_open"] or row["is_ours_to_open"]
    return finding(
        rule,
        "bad" if is_bad else "still",
        **_facts(row),
        dimension=row["kind"],
        severity=rule.severity,
        occurrences=max(int(row["occurrences"]), int(row["n"])),
    )


def _issues(rule: Rule, ask: Ask, moment: Moment, *, is_regression: bool) -> list[Finding]:
    # It stays new until it can have fired: `for`, and the cycles at its two ends.
    since = moment.now - timedelta(seconds=max(rule.window_s, rule.for_s + 2 * min(moment.gap_s, 43_200)))
    rows = ask("judge_issues", {"since": since, "until": moment.now, "rule": rule.name, "is_regression": is_regression})
    return [
        finding(
            rule,
            "bad",
            **_facts(row),
            dimension=row["fingerprint"],
            severity=severity_of(rule, 1 if row["severity"] == "critical" else 0),
            occurrences=int(row["n"]),
        )
        for row in rows
    ]


def _facts(row: Row) -> dict[str, Any]:
    """What is told of one kind."""
    labels = {"fingerprint": row["fingerprint"], "error_type": row["error_type"]}
    where = " · ".join(filter(None, (place(row["place"]), row["operation"], row["route"])))
    return {
        **whose(row),
        "message": row["title"] or _title(row),
        "context": one_context([row["context"]]),
        "started_at": row["first_at"],
        "ingested_at": row["ingested_at"],
        "release": row["release"],
        "labels": {key: value for key, value in labels.items() if value},
        "top": (f"`{short(row['error_type'])}` {where}".rstrip(),),
    }


def _title(row: Row) -> str:
    """Type and first line, as a group's title; a row that others inserted has no group, and was never redacted."""
    first = redact(row.get("message") or "")[0].partition("\n")[0].strip()
    return f"{row['error_type']}: {first}"[:TITLE] if first else str(row["error_type"])[:TITLE]
