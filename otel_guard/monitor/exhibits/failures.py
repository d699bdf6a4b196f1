"""What failed, and what changed before it: errors, deployments, payments."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from otel_guard.core import semconv
from otel_guard.monitor.exhibits._base import Scene, code, line, listed, named
from otel_guard.monitor.judges._base import percent, place, plain
from otel_guard.monitor.judges._where import REQUESTS
from otel_guard.monitor.judges.calls import ANY

HOUR_S: Final = 3600.0
DAY_S: Final = 86_400.0
NOW_S: Final = 300.0
TOP: Final = 5
ID: Final = 6
_NO_FILTER: Final = dict.fromkeys((*ANY, "severity", "error_type", "error_class", "fingerprint"))
_NOBODYS_FAULT: Final = {"declined": "the card", "rejected": "the request", "cancelled": "the caller gave up"}
Key = tuple[str, str]


def deployments(scene: Scene) -> str:
    """The last three."""
    rows = scene.ask("runbook_deployments", {**scene.who(), "now": scene.now})
    return listed(
        (
            line(
                scene.since(row["at"]),
                " ".join(filter(None, (code(row["release"]), named(row)))),
                f"before it {code(row['previous'])}" if row["previous"] else "",
                f"by {code(row['actor'])}" if row["actor"] else "",
                code(row["url"]),
            )
            for row in rows
        ),
        "No deployment is recorded: `otel-guard deploy --release SHA` does it.",
    )


def error_rates(scene: Scene) -> str:
    """Now, and after each of the last three deployments, against the hour before."""
    found = _compared(scene, scene.ago(NOW_S), scene.now, "last 5 min")
    for row in scene.ask("runbook_deployments", {**scene.who(), "now": scene.now}):
        until = min(scene.now, row["at"] + timedelta(seconds=HOUR_S))
        title = f"after {code(row['release'])}, deployed {scene.since(row['at'])}"
        found += _compared(scene, row["at"], until, title, row["service"], row["environment"])
    return listed(found, "No request and no error in the last hour.", 4 * TOP)


def new_groups(scene: Scene) -> str:
    """Kinds of errors first seen, or back, in the last hour."""
    return _errors(scene, "Nothing new in the last hour.", is_only_new=True)


def top_errors(scene: Scene) -> str:
    """The five most frequent of the last hour."""
    return _errors(scene, "No error in the last hour.")


def ai_errors(scene: Scene) -> str:
    """Of AI providers."""
    return _errors(scene, "No error of an AI provider in the last hour.", context="ai")


def email_errors(scene: Scene) -> str:
    """Of mails."""
    return _errors(scene, "No mail failed in the last hour.", context="email")


def cache_errors(scene: Scene) -> str:
    """Of the cache."""
    return _errors(scene, "No error of a cache in the last hour.", context="cache")


def webhook_errors(scene: Scene) -> str:
    """Of payments, webhooks among them: their handlers fail with the context that the failed call has."""
    return _errors(scene, "No error of context payment in the last hour.", context="payment")


def credential_errors(scene: Scene) -> str:
    """Refused keys and passwords of the last day."""
    return _errors(scene, "No key or password was refused in the last day.", DAY_S, error_class="auth")


def job_errors(scene: Scene) -> str:
    """Failed runs of jobs under `otel-guard heartbeat` in the last day."""
    return _errors(scene, "No job run by `otel-guard heartbeat` failed in the last day.", DAY_S, system="cron")


def payment_failures(scene: Scene) -> str:
    """Failed payment calls of the last hour by class."""
    rows = scene.ask("runbook_payments", {**scene.who(), "since": scene.ago(HOUR_S)})
    return listed(
        (
            line(
                f"x{row['n']} {code(row['error_class'])}",
                " ".join(filter(None, (code(row["operation"]), row["system"] and f"at {code(row['system'])}"))),
                f"last {scene.since(row['last_at'])}",
                f"no outage: {fault}" if (fault := _NOBODYS_FAULT.get(row["error_class"])) else "",
            )
            for row in rows
        ),
        "No payment call failed in the last hour.",
    )


def indeterminate(scene: Scene) -> str:
    """Payment calls of the last day whose end nobody knows, with the key to ask for them."""
    names = {"key": semconv.PAYMENT_IDEMPOTENCY_KEY, "request": semconv.STRIPE_REQUEST_ID}
    rows = scene.ask("runbook_indeterminate", {**scene.who(), "since": scene.ago(DAY_S), **names})
    found = [
        line(
            scene.since(row["created_at"]),
            " ".join(filter(None, (code(row["operation"]), code(row["error_class"])))),
            f"key {code(row['key'])}",
            f"request {code(row['request'])}" if row["request"] else "",
            f"user {code(row['user_id'])}" if row["user_id"] else "",
            f"error {code(row['id'][-ID:])}",
        )
        for row in rows
    ]
    more = [f"- and {rows[0]['total'] - len(rows)} more"] if rows and rows[0]["total"] > len(rows) else []
    return "\n".join([*found, *more]) or "None in the last day."


def _errors(scene: Scene, otherwise: str, seconds: float = HOUR_S, **where: object) -> str:
    asked = {
        **dict.fromkeys(("context", "system", "error_class", "operation")),
        **scene.who(),
        "since": scene.ago(seconds),
        "is_only_new": False,
        "most": TOP,
    }
    return listed((_error(scene, row) for row in scene.ask("runbook_errors", {**asked, **where})), otherwise)


def _error(scene: Scene, row: Mapping[str, Any]) -> str:
    state = f"**new**, first {scene.since(row['first_seen_at'])}" if row["is_new"] else "**back**" * row["is_back"]
    return line(
        " ".join(
            filter(None, (code((row["fingerprint"] or "")[:ID] or row["id"][-ID:]), row["severity"], f"x{row['n']}"))
        ),
        code(row["title"], 120),
        code(place(row["place"])),
        " ".join(filter(None, (named(row), f"last {scene.since(row['last_at'])}"))),
        state,
    )


def _compared(  # a line a service
    scene: Scene,
    split: datetime,
    until: datetime,
    title: str,
    service: str | None = None,
    environment: str | None = None,
) -> list[str]:
    since = split - timedelta(seconds=HOUR_S)
    who = {"service": service or scene.service, "environment": environment or scene.environment}
    span = {"since": since, "until": until, "recent": split, **_NO_FILTER, **who}
    calls = scene.ask("judge_calls", {**span, "names": list(REQUESTS), "is_by_system": False, "over_s": None})
    errors = scene.ask("judge_errors", {**span, "reach": until, "is_without_quiet": False})
    requests = {(row["service"], row["environment"]): row for row in calls}
    counted = {(row["service"], row["environment"]): row for row in errors}
    minutes = ((split - since).total_seconds() / 60, max((until - split).total_seconds() / 60, 1.0))
    return [
        line(
            " ".join(filter(None, (code(key[0]), title))),
            _requests(requests.get(key)),
            _counts(counted.get(key), *minutes),
        )
        for key in sorted({*requests, *counted})
    ]


def _requests(row: Mapping[str, Any] | None) -> str:
    if row is None or not row["recent"]:
        return ""
    before = row["n"] - row["recent"]
    rate = percent(row["recent_errors"] / row["recent"])
    of = f"of {plain(row['recent'])} requests {rate} failed"
    return of + (f", {percent((row['errors'] - row['recent_errors']) / before)} in the hour before" if before else "")


def _counts(row: Mapping[str, Any] | None, before_min: float, after_min: float) -> str:
    n, recent = (float(row["n_now"]), float(row["recent"])) if row is not None else (0.0, 0.0)
    after, before = plain(round(recent / after_min, 1)), plain(round((n - recent) / before_min, 1))
    return f"{after} errors a minute, {before} in the hour before"
