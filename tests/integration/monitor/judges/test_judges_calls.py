"""Rules over slow calls and over the sums of all calls, on rows."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from otel_guard.core.rule import Hours, Moment, dedup_key
from otel_guard.monitor.judging import judge
from tests.integration.monitor.judges.conftest import BUILTIN, NOON, World, ago, custom

PAYMENT: dict[str, Any] = {
    "name": "payment.client.operation.duration",
    "context": "payment",
    "system": "stripe",
    "operation": "create payment_intent",
    "route": "/checkout",
}
FAILURE: dict[str, Any] = {
    "context": "payment",
    "system": "stripe",
    "operation": "create payment_intent",
    "error_class": "server",
}
EMAIL: dict[str, Any] = {
    "name": "email.client.operation.duration",
    "context": "email",
    "system": "smtp",
    "operation": "send",
}
WEBHOOK: dict[str, Any] = {
    "name": "payment.webhook.process.duration",
    "context": "payment",
    "system": "stripe",
    "operation": "process invoice.paid",
    "route": "",
}
LAG: dict[str, Any] = WEBHOOK | {"name": "payment.webhook.lag"}


def test_more_than_5_queries_over_1_s_in_an_hour_are_found_and_5_are_not(world: World) -> None:
    world.slow(3000, times=4)
    world.slow(20, 1001)
    world.slow(20, 1000, times=20)
    world.slow(3601, times=20)

    assert world.state("slow_queries") == "still"

    world.slow(100, 2310.44, query_text="SELECT * FROM users", table_name="users", metadata={})
    found = world.one("slow_queries")

    assert (found.state, found.value, found.threshold, found.severity) == ("bad", 6, 5, "medium")
    assert found.message == "6 queries slower than 1 s in last hour"
    assert found.started_at == ago(3000)
    assert found.queries == (
        {"query": "SELECT * FROM users", "duration": 2310.4, "table": "users", "place": None},
        {
            "query": "SELECT * FROM orders WHERE id = ?",
            "duration": 1500,
            "table": "orders",
            "place": "shop/orders.py:88",
        },
    )
    assert dedup_key(found) == "slow_queries:production:web"
    assert found.context == "database"


def test_more_than_25_slow_queries_are_high(world: World) -> None:
    world.slow(30, times=26)

    assert world.one("slow_queries").severity == "high"


@pytest.mark.parametrize(("seconds", "gap_s", "state"), [(299, 15, "bad"), (301, 15, "clear"), (301, 600, "bad")])
def test_slow_queries_are_over_when_none_came_for_5_minutes(
    world: World, seconds: float, gap_s: float, state: str
) -> None:
    world.slow(seconds, times=6)

    assert world.state("slow_queries", gap_s=gap_s) == state


def test_other_slow_calls_are_no_slow_queries(world: World) -> None:
    world.slow(30, times=9, type="ai_call")
    world.slow(30, times=9, type="n_plus_one")

    assert world.find("slow_queries") == []


def test_rows_without_service_or_duration_are_slow_queries(world: World) -> None:
    for _ in range(6):
        world.insert("system_metrics", type="database_query", value=1200, created_at=ago(10))

    found = world.one("slow_queries")

    assert (found.state, found.service) == ("bad", "")
    assert found.queries == ({"query": "database_query", "duration": 1200, "table": None, "place": None},)


def test_a_rule_over_slow_calls_takes_a_measure(world: World) -> None:
    rule = custom(
        source="slow_calls", where={"context": "ai"}, measure="p95_ms", above=20_000, clear=16_000, still_s=25, least=4
    )
    world.slow(20, 30_000, times=3, type="ai_call", query_text=None, table_name=None, operation="chat m")

    assert world.state(rule) == "still"

    world.slow(10, 15_500, type="ai_call", query_text=None, table_name=None, operation="chat m")
    found = world.one(rule)

    assert (found.state, found.context) == ("bad", "ai")
    assert found.message == "p95 30 s of 4 slow calls (context ai) in last 5 minutes"
    assert found.queries[0]["query"] == "chat m"


def test_a_table_can_have_its_own_rule(world: World) -> None:
    rule = custom(source="slow_calls", where={"table_name": "invoices"}, above=2, clear=1.6, still_s=300, window_s=3600)
    world.slow(30, 600, times=9)
    world.slow(30, 600, times=3, table_name="invoices")

    assert (world.one(rule).state, world.one(rule).value) == ("bad", 3)


@pytest.mark.parametrize(
    ("n", "errors", "state"), [(50, 3, "bad"), (60, 3, "still"), (49, 9, "still"), (80, 2, "clear")]
)
def test_more_than_5_percent_of_50_requests(world: World, n: int, errors: int, state: str) -> None:
    world.minute(1, n, errors)

    assert world.state("error_rate") == state


def test_the_error_rate_of_the_last_minute_decides_whether_it_goes_on(world: World) -> None:
    world.minute(4, 100, 50)
    world.minute(1, 100, 1)

    assert world.state("error_rate") == "still"

    world.minute(0, 1, 1, operation="GET /")  # 2 of 101
    assert world.state("error_rate") == "still"


def test_the_error_rate_s_message_and_start(world: World) -> None:
    world.minute(4, 30)
    world.minute(2, 60, 6)
    world.minute(1, 60, 6)

    found = world.one("error_rate")

    assert (found.state, found.context, found.started_at) == ("bad", "api", ago(120))
    assert found.message == "8 % of 150 requests failed in last 5 minutes"
    assert (found.value, found.threshold) == (0.08, 0.05)


def test_calls_that_are_no_requests_have_no_error_rate(world: World) -> None:
    world.minute(1, 100, 100, name="http.client.request.duration")

    assert world.find("error_rate") == []


def test_response_time_is_the_95th_percentile_of_requests(world: World) -> None:
    rule = replace(BUILTIN["response_time"], above=800, clear=640)
    world.minute(1, 100, seconds=0.7)

    assert world.state(rule) == "still"  # between 640 and 800

    world.minute(1, 10, seconds=0.9, operation="GET /slow")
    found = world.one(rule)

    assert found.state == "bad"
    assert 800 < (found.value or 0) <= 900
    assert found.message.endswith("ms of 110 requests in last 5 minutes")


@pytest.mark.parametrize(("failed", "n", "state"), [(3, 14, "bad"), (3, 15, "still"), (2, 3, "still")])
def test_3_payments_and_more_than_a_fifth(world: World, failed: int, n: int, state: str) -> None:
    world.minute(1, n, failed, **PAYMENT)
    world.error(30, times=failed, **FAILURE)

    assert world.state("payment_failures") == state


def test_payment_failures_say_where_and_since_when(world: World) -> None:
    world.minute(1, 9, 4, **PAYMENT)
    world.error(100, **FAILURE)
    world.error(50, times=2, **FAILURE)
    world.error(20, **FAILURE)

    found = world.one("payment_failures")

    assert (found.state, found.severity, found.context) == ("bad", "critical", "payment")
    assert found.message == "4 of 9 payments at stripe failed (44.4 %) in last 5 minutes"
    assert (found.started_at, found.ingested_at) == (ago(100), ago(49))  # that of the third
    assert dedup_key(found) == "payment_failures:production:web"


def test_declines_are_no_payment_failures(world: World) -> None:
    world.minute(1, 10, 9, **PAYMENT)
    world.error(30, times=9, **(FAILURE | {"error_class": "declined"}))

    assert world.state("payment_failures") == "clear"


def test_what_begins_no_payment_is_no_payment_failure(world: World) -> None:
    for operation in ("retrieve balance", "create customer", "create refund", "process invoice.paid"):
        world.error(30, times=5, **(FAILURE | {"operation": operation}))
    world.error(30, times=5, **(FAILURE | {"operation": None}))
    world.error(30, times=5, **(FAILURE | {"operation": "GET api.paypal.com", "system": "paypal"}))

    assert world.find("payment_failures") == []


def test_a_provider_without_an_instrumentation_counts_too(world: World) -> None:
    paypal: dict[str, Any] = {"system": "paypal", "operation": "POST api.paypal.com"}
    world.minute(1, 100, **PAYMENT)
    world.minute(1, 4, 3, **(PAYMENT | paypal))
    world.error(30, times=3, **(FAILURE | paypal))

    assert world.one("payment_failures").message.startswith("3 of 4 payments at paypal failed")


def test_failures_are_known_before_the_sums(world: World) -> None:
    world.error(5, times=3, **FAILURE)

    assert world.one("payment_failures").message.startswith("3 of 3 payments at stripe failed (100 %)")


@pytest.mark.parametrize(("seconds", "gap_s", "state"), [(59, 15, "bad"), (61, 15, "clear"), (250, 300, "bad")])
def test_payment_failures_end_with_the_last_one(world: World, seconds: float, gap_s: float, state: str) -> None:
    world.error(seconds, times=3, **FAILURE)

    assert world.state("payment_failures", gap_s=gap_s) == state


def test_a_job_of_every_10_minutes_misses_no_payment_failures(world: World) -> None:
    world.minute(9, 3, 3, **PAYMENT)
    world.error(500, times=3, **FAILURE)
    world.minute(1, 100, **PAYMENT)

    assert world.state("payment_failures") == "clear"
    assert world.state("payment_failures", gap_s=600) == "bad"


@pytest.mark.parametrize(
    ("n", "errors", "state"), [(40, 3, "bad"), (40, 2, "still"), (19, 9, "still"), (100, 2, "clear")]
)
def test_less_than_95_percent_of_20_mails(world: World, n: int, errors: int, state: str) -> None:
    world.minute(5, n, errors, **EMAIL)

    assert world.state("email_delivery") == state


def test_mails_that_failed_more_than_10_minutes_ago_do_not_go_on(world: World) -> None:
    world.minute(12, 40, 9, **EMAIL)
    world.minute(5, 40, 0, **EMAIL)

    assert world.state("email_delivery") == "still"
    assert world.state("email_delivery", gap_s=900) == "bad"


def test_email_delivery_says_who_refused(world: World) -> None:
    world.minute(20, 30, 1, **EMAIL)
    world.minute(5, 10, 9, **(EMAIL | {"system": "resend"}))

    found = world.one("email_delivery")

    assert found.message == "75 % of 40 mails delivered in last hour"
    assert (found.value, found.threshold, found.severity, found.context) == (0.75, 0.95, "high", "email")
    assert found.top == ("`resend` 9 of 10 failed", "`smtp` 1 of 30 failed")
    assert found.started_at == ago(1200)


@pytest.mark.parametrize(("errors", "severity"), [(20, "high"), (21, "critical")])
def test_less_than_half_of_the_mails_is_critical(world: World, errors: int, severity: str) -> None:
    world.minute(5, 40, errors, **EMAIL)

    assert world.one("email_delivery").severity == severity


@pytest.mark.parametrize(
    ("n", "seconds", "state"), [(5, 5.1, "bad"), (5, 5.0, "still"), (4, 9.0, "still"), (5, 2.0, "clear")]
)
def test_webhooks_slower_than_5_s(world: World, n: int, seconds: float, state: str) -> None:
    world.minute(2, n, seconds=seconds, **WEBHOOK)

    assert world.state("webhook_slow") == state


@pytest.mark.parametrize(("n", "errors", "state"), [(5, 3, "bad"), (9, 2, "clear"), (4, 3, "clear")])
def test_three_failed_webhooks(world: World, n: int, errors: int, state: str) -> None:
    world.minute(2, n, errors, **WEBHOOK)

    found = world.one("webhook_slow")

    assert found.state == state
    if state == "bad":
        assert found.message == "3 of 5 stripe webhooks failed in last 15 minutes"
        assert dedup_key(found) == "webhook_slow:production:web:stripe"


def test_slow_webhooks_of_before_do_not_go_on(world: World) -> None:
    world.minute(7, 5, seconds=9, **WEBHOOK)
    world.minute(1, 1, **WEBHOOK)

    assert world.state("webhook_slow") == "still"
    assert world.state("webhook_slow", gap_s=600) == "bad"


@pytest.mark.parametrize(
    ("n", "seconds", "state"), [(3, 301, "bad"), (3, 300, "still"), (2, 900, "still"), (3, 240, "clear")]
)
def test_webhooks_handled_more_than_5_minutes_late(world: World, n: int, seconds: float, state: str) -> None:
    world.minute(5, n, seconds=seconds, **LAG)

    assert world.state("webhook_lag") == state


def test_one_late_webhook_of_many_is_no_lag(world: World) -> None:
    world.minute(5, 30, seconds=70, sum=30 * 70 + 3600, max=3600, **LAG)

    assert world.state("webhook_lag") == "clear"


def test_a_lag_says_whose_and_since_when(world: World) -> None:
    for minutes in (3, 8, 12):
        world.minute(minutes, 1, seconds=600, **LAG)

    found = world.one("webhook_lag")

    assert found.message == "p95 10 min from event to handled, of 3 stripe webhooks in last 30 minutes"
    assert (found.state, found.severity, found.started_at) == ("bad", "high", ago(720))
    assert dedup_key(found) == "webhook_lag:production:web:stripe"


def test_a_lag_of_20_minutes_ago_does_not_go_on(world: World) -> None:
    world.minute(20, 3, seconds=600, **LAG)

    assert world.state("webhook_lag") == "still"


def usual_webhooks(world: World, every_minutes: int, until_minutes: int, days: int = 4) -> None:
    """One each *every_minutes*, for *days*."""
    world.query(
        """
        INSERT INTO otel_guard.metric_minutes (minute, name, service, environment, context, system, operation, route, n)
        SELECT
            %s::timestamptz - (%s + number * %s) * interval '1 minute', 'payment.webhook.process.duration', 'web',
            'production', 'payment', 'stripe', 'process invoice.paid', '', 1
        FROM generate_series(0, %s) AS number
        """,
        NOON,
        until_minutes,
        every_minutes,
        days * 1440 // every_minutes,
    )


def test_a_provider_is_silent_after_four_times_its_longest_gap(world: World) -> None:
    usual_webhooks(world, every_minutes=480, until_minutes=4 * 480)

    assert world.state("webhook_silent") == "clear"

    found = world.one("webhook_silent", later_s=61)

    assert (found.state, found.severity) == ("bad", "high")
    assert found.message == "no stripe webhook for 32 h; the longest gap of 14 d was 8 h"
    assert found.started_at == NOON
    assert dedup_key(found) == "webhook_silent:production:web:stripe"


def test_an_hour_of_silence_is_always_allowed(world: World) -> None:
    usual_webhooks(world, every_minutes=10, until_minutes=60)

    assert world.state("webhook_silent") == "clear"
    assert world.state("webhook_silent", later_s=61) == "bad"


def test_a_provider_is_no_longer_silent_when_one_comes(world: World) -> None:
    usual_webhooks(world, every_minutes=10, until_minutes=600)
    assert world.state("webhook_silent") == "bad"

    world.minute(1, 1, **WEBHOOK)

    assert world.state("webhook_silent") == "clear"


@pytest.mark.parametrize("row", [{"days": 2}, {"days": 3, "each": 2}])
def test_who_seldom_calls_is_never_silent(world: World, row: dict[str, int]) -> None:
    for day in range(row["days"]):
        for number in range(row.get("each", 3)):
            world.minute(7200 + day * 1440 + number, 1, **WEBHOOK)

    assert world.find("webhook_silent") == []


def test_a_route_alone_means_its_requests(world: World) -> None:
    rule = custom(source="calls", where={"route": "/checkout"}, measure="p95_ms", above=1500, clear=1200, still_s=50)
    world.minute(1, 100, seconds=0.01, name="db.client.operation.duration", context="database", system="postgresql")
    world.minute(1, 10, seconds=2)
    world.minute(1, 99, seconds=0.1, route="/")

    found = world.one(rule)

    assert found.state == "bad"
    assert found.message.endswith("of 10 calls (route /checkout) in last 5 minutes")


@pytest.mark.parametrize(("errors", "state"), [(2, "bad"), (1, "still")])
def test_a_rate_of_the_user_is_of_failures(world: World, errors: int, state: str) -> None:
    rule = custom(
        source="calls", where={"system": "resend"}, measure="rate", above=0.02, clear=0.016, least=50, window_s=3600,
        still_s=300,
    )  # fmt: skip
    world.minute(3, 50, errors, **(EMAIL | {"system": "resend"}))
    world.minute(3, 50, 50, **EMAIL)

    assert world.state(rule) == state


def no_payment(**fields: Any) -> Any:
    where = {"context": "payment", "operation": "create payment_intent"}
    return custom(name="no_payment", source="calls", where=where, below=1, clear=1, window_s=7200, **fields)


def test_no_call_where_there_should_be_one_is_one_finding_without_a_row(world: World) -> None:
    found = world.one(no_payment())

    assert (found.state, found.value, found.threshold, found.context) == ("bad", 0, 1, "payment")
    assert (found.service, found.environment, dedup_key(found)) == ("", "", "no_payment::")
    assert found.message == "no call (context payment, operation create payment_intent) in last 2 hours"
    assert found.started_at == NOON


def test_an_absence_began_when_the_next_call_was_due(world: World) -> None:
    world.minute(150, 1, **PAYMENT)

    assert world.one(no_payment()).started_at == ago(149 * 60) + timedelta(hours=2)


def test_one_call_of_any_service_ends_an_absence(world: World) -> None:
    world.minute(100, 1, **(PAYMENT | {"service": "worker"}))

    assert world.state(no_payment()) == "clear"


def test_an_absence_is_judged_only_if_the_monitor_watched_all_the_time(world: World) -> None:
    rule = no_payment()
    known: dict[str, Any] = {"now": NOON, "gap_s": 15.0, "period_s": 15.0}

    states = [
        judge(rule, world.ask, Moment(**known, watched_since=since))[0].state for since in (None, ago(7199), ago(7200))
    ]

    assert states == ["still", "still", "bad"]


def test_an_absence_is_judged_only_within_its_hours(world: World) -> None:
    noon = NOON.astimezone()
    minute = noon.hour * 60 + noon.minute
    inside = Hours((minute - 121) % 1440, (minute + 60) % 1440)
    begun = Hours((minute - 119) % 1440, (minute + 60) % 1440)

    assert world.state(no_payment(hours=inside)) == "bad"
    assert world.state(no_payment(hours=begun)) == "still"


def test_a_count_above_is_judged_only_within_its_hours(world: World) -> None:
    minute = NOON.astimezone().hour * 60 + NOON.astimezone().minute
    rule = custom(source="calls", where={"context": "ai"}, above=2, clear=1.6, still_s=25)
    world.minute(1, 3, context="ai", name="gen_ai.client.operation.duration")

    assert world.state(rule, hours=Hours(minute, (minute + 60) % 1440)) == "bad"
    assert world.state(rule, hours=Hours((minute + 1) % 1440, (minute + 60) % 1440)) == "still"
