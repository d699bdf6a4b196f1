"""How runbooks say what Postgres knows: a line a row."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from otel_guard.core import semconv
from otel_guard.core.dependency import PROVIDER_PREFIX
from otel_guard.core.rule import Finding
from otel_guard.monitor import report_words as say
from otel_guard.monitor.judges._base import place, span
from otel_guard.store.ask import Row

SHORT: Final = 6
RELEASE: Final = 12
_LONGEST: Final = 220
_WORST: Final = ("healthy", "unknown", "degraded", "unhealthy")
_SLOW: Final = 0.1


def bullets(lines: Iterable[str]) -> str:
    """A Markdown list; error texts take one line each."""
    return "\n".join(f"- {_line(line)}" for line in lines)


def errors(rows: Sequence[Row], now: datetime) -> Iterator[str]:
    """`a41c3f high x31 OperationalError: … shop/orders.py:88, 2 min ago`."""
    for row in rows:
        users = f", {say.counted(row['users'], 'user')}" if row["users"] else ""
        head = f"`{(row['fingerprint'] or '-')[:SHORT]}` {row['severity']} x{say.number(row['n'])}"
        yield f"{head} {_cut(row['title'], 110)}{_at(row['place'])}, {ago(row['last_at'], now)}{users}"


def new_groups(rows: Sequence[Row], now: datetime) -> Iterator[str]:
    """Kinds that began, or came back."""
    for row in rows:
        is_back = row["regressed_at"] is not None and row["regressed_at"] > row["first_seen_at"]
        when = f"back {ago(row['regressed_at'], now)}" if is_back else f"first seen {ago(row['first_seen_at'], now)}"
        release = f" in {row['first_release'][:RELEASE]}" if row["first_release"] and not is_back else ""
        yield f"`{row['fingerprint'][:SHORT]}` {row['severity']} x{say.number(row['n'])} {_cut(row['title'], 110)}, {when}{release}"


def rates(rows: Sequence[Row], _now: datetime) -> Iterator[str]:
    """The last 10 min against the hour before."""
    for row in rows:
        who = "/".join(filter(None, (row["service"], row["environment"]))) or "(no service)"
        failed = (
            f"{say.share(row['rate']) or 'no request'} of requests failed" if row["rate"] is not None else "no request"
        )
        before = f", in the hour before {say.share(row['rate_before'])}" if row["rate_before"] is not None else ""
        counts = (
            f"{say.counted(row['errors'], 'error')} in 10 min, {say.number(row['errors_before'])} in the hour before"
        )
        yield f"{who}: {failed}{before}; {counts}"


def deployments(rows: Sequence[Row], now: datetime) -> Iterator[str]:
    """`6 min ago, web a1b2c3d (before: 9f8e7d6): 0.3 % -> 4.1 % of requests failed, 2 new kinds of errors`."""
    for row in rows:
        before = f" (before: {row['previous'][:RELEASE]})" if row["previous"] else ""
        known = row["rate_before"] is not None and row["rate_after"] is not None
        effect = (
            f"{say.share(row['rate_before'])} -> {say.share(row['rate_after'])} of requests failed"
            if known
            else f"{say.number(row['errors_before'])} -> {say.counted(row['errors_after'], 'error')}"
        )
        fresh = (
            f", {say.counted(row['new_groups'], 'new kind of error', 'new kinds of errors')}"
            if row["new_groups"]
            else ""
        )
        yield f"{ago(row['at'], now)}, {row['service'] or ''} {(row['release'] or '?')[:RELEASE]}{before}: {effect}{fresh}"


def slow(rows: Sequence[Row], _now: datetime) -> Iterator[str]:
    """The most time first."""
    for row in rows:
        table = f", table {row['table_name']}" if row["table_name"] else ""
        yield (
            f"x{say.number(row['n'])}, p95 {say.milliseconds(row['p95_ms'])}, max {say.milliseconds(row['max_ms'])}{table}"
            f"{_at(row['place'])}: `{_cut(row['query'].replace('`', ''), 120)}`"
        )


def repeated(rows: Sequence[Row], _now: datetime) -> Iterator[str]:
    """N+1."""
    for row in rows:
        route = f" in {row['route']}" if row["route"] else ""
        yield f"up to {say.number(row['highest'])} x `{_cut(row['query'], 100)}`{route}{_at(row['place'])}"


def pressure(findings: Sequence[Finding]) -> Iterator[str]:
    """All inspections, the bad ones first."""
    for finding in sorted(findings, key=lambda each: each.state != "bad"):
        yield f"{'**too high**' if finding.state == 'bad' else 'ok'}: {finding.message}"


def dependencies(rows: Sequence[Row], now: datetime) -> Iterator[str]:
    """Each by what its processes say, the worst first."""
    by_name: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["status"] in _WORST:
            by_name[row["name"]].append(row)
    for name, its in sorted(by_name.items(), key=lambda each: (-max(map(_rank, each[1])), each[0])):
        worst = max(its, key=_rank)
        alike = sum(row["status"] == worst["status"] for row in its)
        since = f" for {span((now - worst['changed_at']).total_seconds())}" if worst["changed_at"] else ""
        of = f", say {alike} of {len(its)} processes" if len(its) > 1 else ""
        why = f": {_cut(worst['message'], 120)}" if worst["message"] else ""
        yield f"{name.removeprefix(PROVIDER_PREFIX)} **{worst['status']}**{since}{of}{why}"


def calls(rows: Sequence[Row], now: datetime) -> Iterator[str]:
    """Each provider's share of the last hour, against the day before."""
    total = sum(row["n"] for row in rows)
    for row in rows:
        name = row["system"] or "unnamed"
        if not row["n"]:
            yield f"{name}: none in 60 min, the last {ago(row['last_at'], now)}"
            continue
        part = f" ({say.share(row['n'] / total)} of all)" if len(rows) > 1 else ""
        usual = f", the day before {say.share(row['errors_before'] / row['n_before'])}" if row["n_before"] else ""
        yield (
            f"{name}: {say.counted(row['n'], 'call')} in 60 min{part}, {say.share(row['errors'] / row['n'])} failed{usual}; "
            f"mean {say.milliseconds(row['mean'] * 1000)}, max {say.milliseconds(row['highest'] * 1000)}"
        )


def classes(rows: Sequence[Row], now: datetime) -> Iterator[str]:
    """Failures by class."""
    for row in rows:
        who = f"{row['system']} " if row["system"] else ""
        yield f"{who}{row['error_class'].replace('_', ' ')} x{say.number(row['n'])}, {ago(row['last_at'], now)}: {_cut(row['message'], 120)}"


def indeterminate(rows: Sequence[Row], now: datetime) -> Iterator[str]:
    """With what their provider finds them by."""
    for row in rows:
        found = row["attributes"] or {}
        keys = {
            "idempotency key": found.get(semconv.PAYMENT_IDEMPOTENCY_KEY),
            "request": found.get(semconv.STRIPE_REQUEST_ID),
            "object": found.get(semconv.PAYMENT_RESOURCE_ID),
            "user": row["user_id"],
        }
        facts = ", ".join(f"{name} `{value}`" for name, value in keys.items() if value)
        what = " ".join(filter(None, (row["system"], row["operation"])))
        yield f"{ago(row['created_at'], now)} {what} ({row['error_class']}){': ' + facts if facts else ''}; error {str(row['id'])[-SHORT:]}"


def webhooks(rows: Sequence[Row], now: datetime) -> Iterator[str]:
    """When each kind came last."""
    for row in rows:
        failed = f", {say.number(row['errors'])} failed" if row["errors"] else ""
        kind = row["operation"].removeprefix("process ")
        yield f"{row['system']} {kind}: last {ago(row['last_at'], now)}, {say.number(row['n'])} in 24 h{failed}"


def jobs(rows: Sequence[Row], now: datetime) -> Iterator[str]:
    """The overdue first."""
    for row in sorted(rows, key=lambda each: each["period_s"] - (now - each["at"]).total_seconds()):
        silent_s = (now - row["at"]).total_seconds()
        state = "**overdue**" if silent_s > max(row["period_s"] * 1.1, row["period_s"] + 60) else "ok"
        yield f"{state} {row['name']} ({row['service']}): last beat {ago(row['at'], now)}, each {span(row['period_s'])}"


def queues(rows: Sequence[Row], now: datetime) -> Iterator[str]:
    """The deepest first."""
    for row in sorted(rows, key=lambda each: -(each["depth"] or 0)):
        depth = say.number(row["depth"]) if row["depth"] is not None else "not known"
        yield f"{row['name']} ({row['service']}): {depth}, {ago(row['at'], now)}"


def processes(rows: Sequence[Row], now: datetime) -> Iterator[str]:
    """The last seen first, ten of them."""
    for row in sorted(rows, key=lambda each: each["at"], reverse=True)[:10]:
        waiting = f", {row['journal_bytes'] / 1024:.0f} KiB wait in its journal" if row["journal_bytes"] else ""
        dropped = f", {say.number(row['dropped'])} dropped" if row["dropped"] else ""
        yield f"{row['service'] or '?'} {row['instance']}: seen {ago(row['at'], now)}{waiting}{dropped}"


def monitor(rows: Sequence[Row], now: datetime) -> Iterator[str]:
    """Its last cycle, and the rules that it cannot judge."""
    row = rows[0]
    if row["at"] is None:
        return
    yield f"last cycle {ago(row['at'], now)}, one each {span(row['period_s'] or 0)}"
    failing: Any = (row["detail"] or {}).get("failing")
    for name, count in failing.items() if isinstance(failing, Mapping) else ():
        why = count.get("why") if isinstance(count, Mapping) else None
        yield f"rule {name} cannot be judged: {_cut(str(why or '?'), 160)}"


def channels(rows: Sequence[Row], now: datetime) -> Iterator[str]:
    """What each takes."""
    for row in rows:
        state = "**dead**" if row["is_dead"] else f"{row['failures']} refusals in a row" if row["failures"] else "ok"
        ok = f", last yes {ago(row['last_ok_at'], now)}" if row["last_ok_at"] else ", never said yes"
        waiting = f", {say.counted(row['waiting'], 'message')} waiting" if row["waiting"] else ""
        why = f": {_cut(row['last_error'], 120)}" if row["last_error"] else ""
        yield f"{row['channel']}: {state}{ok}{waiting}{why}"


def drops(rows: Sequence[Row], _now: datetime) -> Iterator[str]:
    """What was not kept."""
    for row in rows:
        yield f"{say.counted(row['n'], row['kind'].replace('_', ' '))}: {row['reason'].replace('_', ' ')}"


def switches(rows: Sequence[Row], now: datetime) -> Iterator[str]:
    """What is switched off, by whom, why."""
    for row in rows:
        if not row["enabled"]:
            yield f"**{row['name']} off** {ago(row['changed_at'], now)} by {row['changed_by'] or '?'}: {row['reason'] or '?'}"


def ago(at: datetime, now: datetime) -> str:
    """`6 min ago`."""
    return f"{span(max((now - at).total_seconds(), 0.0))} ago"


def _rank(row: Row) -> int:
    return _WORST.index(row["status"])


def _at(given: object) -> str:
    where = place(given)
    return f" at {where}" if where else ""


def _cut(text: str | None, most: int) -> str:
    flat = _line(text or "")
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"


def _line(text: str) -> str:
    return " ".join(text.split())
