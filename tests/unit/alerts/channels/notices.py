"""The incident of the documented payloads, as a notice."""

from datetime import UTC, datetime

from msgspec.structs import replace

from otel_guard.core.incident import Incident, Notice

AT = datetime(2026, 11, 23, 21, 30, 2, 250_000, UTC)
BURST = Incident(
    id="01930000-0000-7000-8000-000000c7e2ab",
    state="firing",
    type="high_error_rate",
    rule="error_burst",
    dedup_key="error_burst:production:web",
    severity="high",
    message="37 errors in last 5 minutes",
    service="web",
    environment="production",
    release="a1b2c3d",
    value=37.0,
    threshold=10.0,
    impact_started_at=datetime(2026, 11, 23, 21, 30, 0, tzinfo=UTC),
    fired_at=AT,
)
FIRED = Notice(
    event="fired",
    incident=BURST,
    at=AT,
    top=("`OperationalError` x31 shop/orders.py:88",),
    runbook=("Deployed 6 min before: roll back?",),
    runbook_id="high-error-rate",
    url="https://ops.example/alerts/c7e2ab",
    acknowledge_url="https://ops.example/ack/c7e2ab?sig=1",
    acknowledge_command="otel-guard ack c7e2ab",
)
UNLINKED = replace(FIRED, url=None, acknowledge_url=None)
RESOLVED = replace(
    FIRED,
    event="resolved",
    incident=replace(BURST, state="resolved", resolved_at=datetime(2026, 11, 23, 21, 42, 3, tzinfo=UTC)),
    acknowledge_url=None,
)
SLOW = replace(
    FIRED,
    incident=replace(
        BURST,
        type="performance_degradation",
        rule="slow_queries",
        severity="medium",
        message="7 queries over 1000 ms in last 60 minutes",
        queries=[
            {"query": "SELECT *\nFROM orders", "duration": 1840.2, "table": "orders", "place": "shop/orders.py:12"}
        ],
    ),
    top=(),
)
