"""Rules that count errors, and those of single kinds, on rows."""

from datetime import timedelta
from typing import Any

import pytest

from otel_guard.core.incident import Opening
from otel_guard.core.rule import dedup_key
from tests.integration.monitor.judges.conftest import NOON, World, ago, custom


def test_more_than_10_errors_in_5_minutes_are_a_burst_and_10_are_none(world: World) -> None:
    world.error(30, times=10)

    assert world.state("error_burst") == "still"

    world.error(250)
    found = world.one("error_burst")

    assert (found.state, found.value, found.threshold, found.severity) == ("bad", 11, 10, "high")
    assert found.message == "11 errors in last 5 minutes"
    assert (found.service, found.environment, dedup_key(found)) == ("web", "production", "error_burst:production:web")
    assert found.started_at == ago(250)
    assert found.ingested_at == ago(29)  # of the eleventh
    assert found.top == ("`OperationalError` x11 shop/orders.py:88",)
    assert found.labels == {"fingerprints": "f" * 16}
    assert (found.context, found.release) == ("database", "r1")


def test_repeats_count_as_often_as_they_happened(world: World) -> None:
    world.error(30, repeat_count=11)

    assert world.one("error_burst").value == 11


def test_errors_older_than_the_window_do_not_count(world: World) -> None:
    world.error(30, times=10)
    world.error(301)

    assert world.state("error_burst") == "still"


def test_a_burst_that_is_over_does_not_fire(world: World) -> None:
    world.error(61, times=11)

    assert world.state("error_burst") == "still"
    assert world.state("error_burst", gap_s=61.5) == "bad"  # not if nobody looked since


@pytest.mark.parametrize(("times", "seconds", "state"), [(5, 61, "clear"), (5, 59, "still"), (6, 61, "still")])
def test_a_burst_clears_at_5_and_none_in_the_last_minute(world: World, times: int, seconds: float, state: str) -> None:
    world.error(seconds, times=times)

    assert world.state("error_burst") == state


def test_more_than_50_errors_are_critical(world: World) -> None:
    world.error(30, repeat_count=50)

    assert world.one("error_burst").severity == "high"

    world.error(30)

    assert world.one("error_burst").severity == "critical"


@pytest.mark.parametrize("error_class", ["declined", "rejected", "cancelled"])
def test_handled_news_of_customers_is_no_burst(world: World, error_class: str) -> None:
    world.error(30, repeat_count=20, error_class=error_class, handled=True)
    world.error(30, repeat_count=20, error_class=error_class, handled=None)

    assert world.find("error_burst") == []

    world.error(30, repeat_count=20, error_class=error_class, handled=False)

    assert world.one("error_burst").value == 20


def test_services_and_environments_are_counted_apart(world: World) -> None:
    world.error(30, times=6)
    world.error(30, times=6, service="worker")
    world.error(30, times=11, environment="staging")

    found = {(each.service, each.environment): each.state for each in world.find("error_burst")}

    assert found == {("web", "production"): "still", ("worker", "production"): "still", ("web", "staging"): "bad"}


def test_rows_that_others_inserted_count_without_a_service(world: World) -> None:
    for number in range(11):
        world.insert(
            "system_errors", error_type="ValueError", message=f"no {number}", context="api", severity="low",
            created_at=ago(20),
        )  # fmt: skip

    found = world.one("error_burst")

    assert (found.state, found.service, found.environment) == ("bad", "", "")
    assert found.top == ("`ValueError` x11",)
    assert found.labels == {"fingerprints": "?"}  # an unknown kind: no incident speaks for it


def test_a_clock_that_is_ahead_hides_no_burst(world: World) -> None:
    world.error(-3600, times=11, received_at=ago(20))

    found = world.one("error_burst")

    assert (found.state, found.started_at) == ("bad", ago(20))


def test_a_job_of_every_10_minutes_misses_no_burst(world: World) -> None:
    world.error(590, times=5)
    world.error(400, times=6)

    assert world.find("error_burst", gap_s=15) == []

    found = world.one("error_burst", gap_s=600)

    assert (found.state, found.value, found.started_at) == ("bad", 11, ago(590))
    assert found.top == ("`OperationalError` x11 shop/orders.py:88",)


def test_two_halves_of_no_window_are_no_burst(world: World) -> None:
    world.error(590, times=6)
    world.error(100, times=6)

    assert world.state("error_burst", gap_s=600) == "still"


def test_the_worst_kinds_stand_on_top(world: World) -> None:
    world.error(30, repeat_count=4)
    world.error(30, repeat_count=9, fingerprint="a" * 16, error_type="openai.RateLimitError", metadata={}, context="ai")
    for number in range(3):
        world.error(30, fingerprint=f"{number}" * 16, error_type="KeyError")

    found = world.one("error_burst")

    assert found.top[:2] == ("`RateLimitError` x9", "`OperationalError` x4 shop/orders.py:88")
    assert len(found.top) == 3
    assert found.context is None


def test_a_burst_of_one_system_says_so(world: World) -> None:
    world.error(30, times=11, context="ai", system="openai")

    found = world.one("error_burst")

    assert (found.context, found.labels["system"]) == ("ai", "openai")


def test_a_rule_of_the_user_counts_what_it_asks_for(world: World) -> None:
    rule = custom(
        source="errors", where={"route": "/checkout", "severity": "high"}, above=3, clear=2.4, still_s=25, window_s=600
    )
    world.error(20, times=3, route="/checkout", severity="high")
    world.error(20, times=9, route="/checkout", severity="low")
    world.error(20, times=9, route="/other", severity="high")

    assert world.state(rule) == "still"

    world.error(500, route="/checkout", severity="high")
    found = world.one(rule)

    assert (found.state, found.value, found.threshold) == ("bad", 4, 3)
    assert found.message == "4 errors (route /checkout, severity high) in last 10 minutes"
    assert found.top == ("`OperationalError` x4 shop/orders.py:88",)


def test_a_long_window_reads_the_hours(world: World) -> None:
    rule = custom(source="errors", where={"context": "ai"}, above=100, clear=80, still_s=3600, window_s=7 * 86_400)
    world.group(context="ai")
    for days in (1, 6, 8):
        world.insert(
            "error_hours", hour=ago(days * 86_400), service="web", environment="production", fingerprint="f" * 16, n=60
        )

    found = world.one(rule)

    assert (found.state, found.value) == ("still", 120)

    world.error(30, context="ai")
    found = world.one(rule)

    assert (found.state, found.value, found.message) == ("bad", 120, "120 errors (context ai) in last 7 days")


def test_no_error_where_there_should_be_one_is_one_finding(world: World) -> None:
    rule = custom(source="errors", where={"context": "queue", "service": "worker"}, below=1, clear=1, window_s=3600)
    world.error(4000, context="queue", service="worker")

    found = world.one(rule)

    assert (found.state, found.value, found.service, found.environment) == ("bad", 0, "worker", "")
    assert found.message == "no error (context queue) in last hour"
    assert found.started_at == ago(400)  # an hour after the last one

    world.error(100, context="queue", service="worker")

    assert world.state(rule) == "clear"


def critical(world: World, **row: Any) -> None:
    world.error(**({"severity": "critical", "context": "database", "writer_id": None} | row))


@pytest.mark.parametrize(
    ("row", "is_found"),
    [
        ({"severity": "critical"}, True),
        ({"severity": "high", "context": "payment"}, True),
        ({"severity": "high", "context": "database"}, False),
        ({"severity": "medium", "context": "payment"}, False),
    ],
)
def test_critical_is_what_may_not_wait(world: World, row: dict[str, Any], *, is_found: bool) -> None:
    world.error(10, **row)

    assert bool(world.find("critical_error")) is is_found


def test_a_critical_error_has_the_fast_path_s_key_and_its_group_s_title(world: World) -> None:
    world.group(severity="critical")
    critical(world, seconds=40, operation="SELECT orders", route="/pay")

    found = world.one("critical_error")

    assert dedup_key(found) == f"critical_error:production:web:{'f' * 16}"
    assert (found.state, found.severity, found.message) == ("bad", "critical", "OperationalError: connection lost")
    assert found.labels == {"fingerprint": "f" * 16, "error_type": "sqlalchemy.exc.OperationalError"}
    assert found.top == ("`OperationalError` shop/orders.py:88 · SELECT orders · /pay",)
    assert (found.started_at, found.ingested_at, found.context) == (ago(40), ago(39), "database")


def test_a_plain_insert_is_a_critical_error_too(world: World) -> None:
    world.insert(
        "system_errors", error_type="StockError", message="gone\nsecond line", context="payment", severity="high",
        created_at=ago(5),
    )  # fmt: skip

    found = world.one("critical_error")

    assert (found.state, found.message) == ("bad", "StockError: gone")
    assert (found.service, found.environment, found.dimension) == ("", "", "StockError")


def test_what_others_inserted_is_redacted_before_it_is_told(world: World) -> None:
    key = "sk_" + "live_" + "a1B2" * 8
    critical(world, message=f"refused {key} of shop", fingerprint=None)

    assert key not in world.one("critical_error").message
    assert world.one("critical_error").message.startswith("sqlalchemy.exc.OperationalError: refused [redacted:")


def test_after_a_minute_nothing_is_critical_any_more(world: World) -> None:
    critical(world, seconds=61)

    assert world.find("critical_error") == []
    assert world.state("critical_error", gap_s=90) == "bad"


def test_the_row_of_an_old_journal_counts_from_when_it_came(world: World) -> None:
    writer = "018bcfe5-6800-7000-8000-0000000000aa"
    critical(world, seconds=1800, received_at=ago(30), writer_id=writer)

    assert world.one("critical_error").started_at == ago(1800)


def test_what_the_fast_path_is_about_to_open_is_left_to_it(world: World) -> None:
    writer = "018bcfe5-6800-7000-8000-0000000000aa"
    critical(world, seconds=3, received_at=ago(2), writer_id=writer)

    assert world.state("critical_error") == "still"
    assert world.state("critical_error", later_s=10) == "bad"


def test_occurrences_of_an_open_incident_are_all_since_it_began(world: World) -> None:
    critical(world, seconds=700, repeat_count=100)
    critical(world, seconds=500, repeat_count=7)
    critical(world, seconds=10, repeat_count=2)
    found = world.one("critical_error")

    assert found.occurrences == 2

    world.insert(
        "incidents", state="firing", type="critical_error", rule="critical_error", dedup_key=dedup_key(found),
        severity="critical", impact_started_at=ago(500),
    )  # fmt: skip

    assert world.one("critical_error").occurrences == 9


def test_kinds_of_critical_errors_are_counted_apart(world: World) -> None:
    for kind in "abc":
        critical(world, seconds=10, fingerprint=kind * 16, repeat_count=1000)
    critical(world, seconds=10, fingerprint="a" * 16, service="worker")

    assert sorted((each.service, each.dimension[0], each.occurrences) for each in world.find("critical_error")) == [
        ("web", "a", 1000),
        ("web", "b", 1000),
        ("web", "c", 1000),
        ("worker", "a", 1),
    ]


def test_a_new_kind_of_high_errors_is_an_issue(world: World) -> None:
    world.group(first_seen_at=ago(40))
    world.error(40, severity="high", context="ai")

    found = world.one("new_issue")

    assert (found.state, found.severity, found.message) == ("bad", "high", "OperationalError: connection lost")
    assert dedup_key(found) == f"new_issue:production:web:{'f' * 16}"
    assert (found.started_at, found.context) == (ago(40), "ai")


@pytest.mark.parametrize(
    "group",
    [
        {"severity": "medium"},
        {"first_seen_at": ago(61)},
        {"state": "muted"},
    ],
)
def test_what_is_no_new_issue(world: World, group: dict[str, Any]) -> None:
    world.group(**group)
    world.error(10)

    assert world.find("new_issue") == []


def test_a_critical_new_issue_is_critical(world: World) -> None:
    world.group(severity="critical")
    world.error(10)

    assert world.one("new_issue").severity == "critical"


def test_an_issue_stays_new_until_a_slow_cycle_could_fire_it(world: World) -> None:
    world.group(first_seen_at=ago(110), last_seen_at=ago(110))
    world.error(110)

    assert world.find("new_issue") == []
    assert world.state("new_issue", gap_s=60) == "bad"  # pending a minute ago


def test_an_open_issue_goes_on_with_its_errors(world: World) -> None:
    world.group(first_seen_at=ago(5000))
    world.error(10)
    world.insert(
        "incidents", state="firing", type="new_issue", rule="new_issue", severity="high",
        dedup_key=f"new_issue:production:web:{'f' * 16}",
    )  # fmt: skip

    assert world.state("new_issue") == "bad"
    assert world.find("new_issue", later_s=120) == []


def test_an_issue_that_was_resolved_is_back(world: World) -> None:
    world.group(first_seen_at=ago(90_000), regressed_at=ago(20))
    world.error(20, severity="high")

    assert world.find("new_issue") == []
    found = world.one("regressed_issue")

    assert (found.state, dedup_key(found)) == ("bad", f"regressed_issue:production:web:{'f' * 16}")


def test_every_finding_can_open_an_incident(world: World) -> None:
    world.error(30, times=11)
    found = world.one("error_burst")

    opening = Opening(
        type="high_error_rate", rule=found.rule, dedup_key=dedup_key(found), severity=found.severity,
        message=found.message, value=found.value, threshold=found.threshold, top=found.top,
        impact_started_at=found.started_at,
    )  # fmt: skip

    assert opening.impact_started_at == NOON - timedelta(seconds=30)
