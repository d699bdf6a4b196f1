"""A database in which something of everything happened in the last hour, by its own clock."""

from collections.abc import Callable

from otel_guard.core.rollup import BOUNDS

Query = Callable[..., list[dict[str, object]]]

PLACE = '{"code.file.path": "shop/orders.py", "code.line.number": 88}'
ATTRIBUTES = '{"attributes": {"payment.idempotency_key": "key-77", "stripe.request.id": "req_9"}}'
INCIDENT = "0193aaaa-0000-7000-8000-0000abc7e2ab"
_BUCKETS = len(BOUNDS) + 1


def fill(query: Query) -> None:
    """Write all rows."""
    _errors(query)
    _calls(query)
    _states(query)


def error(query: Query, minutes: float, **row: object) -> None:
    """One row of `system_errors`."""
    known: dict[str, object] = {
        "error_type": "OperationalError",
        "message": "connection lost",
        "context": "database",
        "severity": "high",
        "service": "web",
        "environment": "production",
        "fingerprint": "a41c2e" + "0" * 10,
        "metadata": f'{{"place": {PLACE}}}',
    }
    _insert(query, "system_errors", minutes, "created_at", known | row)


def minute(query: Query, minutes: float, name: str, n: int, errors: int, **row: object) -> None:
    """One row of `metric_minutes`."""
    buckets = [0] * _BUCKETS
    buckets[6] = n
    known: dict[str, object] = {
        "name": name,
        "service": "web",
        "environment": "production",
        "context": "api",
        "system": "",
        "operation": "",
        "route": "",
        "n": n,
        "errors": errors,
        "sum": n * 0.4,
        "max": 0.4,
        "buckets": buckets,
    }
    _insert(query, "metric_minutes", minutes, "minute", known | row)


def _errors(query: Query) -> None:
    query(
        "INSERT INTO otel_guard.error_groups (fingerprint, title, error_type, severity, first_seen_at, last_seen_at) "
        "VALUES (%s, 'OperationalError: connection lost', 'OperationalError', 'high', now() - interval '4 min', now())",
        "a41c2e" + "0" * 10,
    )
    for _ in range(30):
        error(query, 3)
    error(query, 3, service="worker", fingerprint=None, error_type="KeyError", message="`x` *now*\x1b[31m\nnext")
    payment = {"context": "payment", "system": "stripe", "operation": "create payment_intent", "fingerprint": "b" * 16}
    for _ in range(4):
        error(query, 2, **payment, error_class="timeout", metadata=ATTRIBUTES, user_id="17")
    error(query, 2, **payment, error_class="declined", severity="low")
    for context, error_class in (("ai", "auth"), ("email", "server"), ("cache", "connection")):
        error(query, 5, context=context, error_class=error_class, fingerprint=None, error_type=f"{context}.Error")
    error(query, 90, context="other", system="cron", fingerprint=None, error_type="exit 1", message="invoices failed")
    _insert(query, "deployments", 6, "at", {"service": "web", "environment": "production", "release": "a1b2c3d",
                                            "previous": "9f8e7d6", "actor": "ana"})  # fmt: skip


def _calls(query: Query) -> None:
    for minutes in range(10, 60, 10):
        minute(query, minutes, "http.server.request.duration", 1000, 4)
    minute(query, 2, "http.server.request.duration", 300, 21)
    minute(query, 4, "payment.client.operation.duration", 12, 5, context="payment", system="stripe",
           operation="create payment_intent")  # fmt: skip
    minute(query, 4, "payment.webhook.process.duration", 40, 1, context="payment", system="stripe")
    minute(query, 4, "payment.webhook.lag", 40, 0, context="payment", system="stripe", max=420.0)
    for day in range(1, 5):
        for hour in range(4):
            minute(query, day * 1440 + hour * 60, "payment.webhook.process.duration", 2, 0, system="stripe")
    minute(query, 4, "email.client.operation.duration", 412, 3, context="email", system="resend")
    minute(query, 4, "gen_ai.client.operation.duration", 70, 40, context="ai", system="openai")
    minute(query, 4, "gen_ai.client.operation.duration", 30, 0, context="ai", system="anthropic")
    slow = {"service": "web", "environment": "production", "metadata": f'{{"place": {PLACE}}}'}
    for milliseconds in (1200, 1400, 3100):
        _insert(query, "system_metrics", 5, "created_at", slow | {"type": "database_query", "value": milliseconds,
            "duration_ms": milliseconds, "query_text": "SELECT * FROM orders WHERE id = ?", "table_name": "orders"})  # fmt: skip
    _insert(query, "system_metrics", 5, "created_at", slow | {"type": "ai_call", "value": 22000, "duration_ms": 22000,
                                                             "system": "openai", "operation": "chat"})  # fmt: skip
    _insert(query, "system_metrics", 5, "created_at", slow | {"type": "n_plus_one", "value": 48,
                                                             "query_text": "SELECT * FROM items WHERE order_id = ?"})  # fmt: skip


def _states(query: Query) -> None:
    beat = {"service": "web", "environment": "production"}
    window = '{"oldest_s": 300, "journal_bytes": 1000000, "redacted_late": 1, "window": {"queues": {"mail": 812}}}'
    for instance in ("web-1:7", "web-2:9"):
        _insert(query, "heartbeats", 0, "at", beat | {"name": "web", "instance": instance, "kind": "process",
                                                     "period_s": 60, "detail": window})  # fmt: skip
        for name, status, message in (
            ("database", "healthy", None),
            ("payment", "unhealthy", "5 of 5 calls failed"),
            ("ai.openai", "unhealthy", "529 overloaded"),
            ("ai.anthropic", "healthy", None),
        ):
            _insert(query, "dependency_status", 0, "checked_at", {"name": name, "instance": instance, "status": status,
                                                                 "message": message})  # fmt: skip
    query("UPDATE otel_guard.dependency_status SET changed_at = now() - interval '5 min'")
    _insert(query, "heartbeats", 1600, "at", beat | {"name": "invoices", "instance": "job", "kind": "job",
                                                    "period_s": 86400})  # fmt: skip
    _insert(query, "heartbeats", 5, "at", beat | {"name": "backup", "instance": "job", "kind": "job",
                                                 "period_s": 86400})  # fmt: skip
    _insert(query, "heartbeats", 4, "at", {"name": "monitor", "instance": "ops:1", "kind": "monitor", "period_s": 15})
    _insert(query, "switches", 12, "changed_at", {"name": "payments", "enabled": False, "reason": "double charges",
                                                  "changed_by": "ana"})  # fmt: skip
    query("INSERT INTO otel_guard.record_drops (id, reason, kind, n, first_at, last_at) "
          "VALUES (gen_random_uuid(), 'full', 'error', 12, now(), now())")  # fmt: skip
    query("INSERT INTO otel_guard.alert_outbox (key, channel, kind, payload, attempts, last_status, last_error) "
          "VALUES ('i:fired:1:slack', 'slack', 'fired', jsonb_build_object('at', now() - interval '9 min'), 4, 404, 'no_service')")  # fmt: skip
    query("INSERT INTO otel_guard.channel_state (channel, failures, last_ok_at, last_error_at) "
          "VALUES ('slack', 4, now() - interval '3 h', now())")  # fmt: skip
    query("INSERT INTO otel_guard.incidents (id, state, type, rule, dedup_key, severity, message, service, environment, "
          "impact_started_at, fired_at) VALUES (%s, 'firing', 'payment_failures', 'payment_failures', 'k', 'critical', "
          "'5 of 12 payments at stripe failed (41.7 %%)', 'web', 'production', now(), now())", INCIDENT)  # fmt: skip


def _insert(query: Query, table: str, minutes: float, at: str, row: dict[str, object]) -> None:
    names = ", ".join([*row, at])
    marks = ", ".join(["%s"] * len(row))
    moment = f"now() - {minutes} * interval '1 min'"
    moment = f"date_trunc('minute', {moment})" if at == "minute" else moment
    query(f"INSERT INTO otel_guard.{table} ({names}) VALUES ({marks}, {moment})", *row.values())
