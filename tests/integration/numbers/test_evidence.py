"""Evidence from a real Postgres in which something of everything happened."""

import json
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from otel_guard.cli import execute
from otel_guard.monitor.evidence import EVIDENCE, NOT_AVAILABLE, Source, gathered
from otel_guard.runtime.clock import SYSTEM
from otel_guard.store.inspections import inspector
from otel_guard.store.judging import asker
from otel_guard.store.lane import Lane
from tests.integration.numbers.filled import INCIDENT, fill

Query = Callable[..., list[dict[str, object]]]

WORDS = {
    "ai_calls": ("- `openai` of `web` · 70 % of the calls (70) · 57.1 % failed", "- `claude` of `web` · 30 %"),
    "ai_errors": ("`ai.Error: connection lost`",),
    "backlog": ("**journal** of `web`: oldest record 5 min", "**dropped**: 12 records", "1 message waits for `slack`"),
    "cache_errors": ("`cache.Error: connection lost`",),
    "channels": ("**failing** `slack` · last taken 3 h ago · 4 failures in a row", "`404 no_service`"),
    "credential_errors": ("`ai.Error: connection lost`",),
    "dependencies": ("**unhealthy** `payment` of `web` · since 5 min · in 2 of 2 processes", "healthy of `web`:"),
    "deployments": ("- 6 min ago · `a1b2c3d` of `web` · before it `9f8e7d6` · by `ana`",),
    "email_errors": ("`email.Error: connection lost`",),
    "emails": ("- `resend` of `web` · 99.3 % of 412 mails taken",),
    "error_rates": (
        "- `web` last 5 min · of 300 requests 7 % failed, 0.4 % in the hour before",
        "- `web` after `a1b2c3d`, deployed 6 min ago · of 300 requests 7 % failed",
    ),
    "heartbeats": ("- **missed** `invoices` of `web` · last beat 27 h ago · every 24 h\n- fine `backup`",),
    "incidents": ("- `c7e2ab` critical `payment_failures` · of `web` · 5 of 12 payments at stripe failed (41.7 %)",),
    "indeterminate": ("`create payment_intent` `timeout` · key `key-77` · request `req_9` · user `17`",),
    "inspections": ("connections are in use", "transaction ids are used up"),
    "job_errors": ("`exit 1: invoices failed`",),
    "monitor": ("**late**: last cycle 4 min ago · every 15 s", "retention never ran"),
    "n_plus_one": ("- up to 48 times in one request · in 1 request · `shop/orders.py:88` · `SELECT * FROM items",),
    "new_groups": ("- `a41c2e` high x30", "**new**, first 4 min ago"),
    "payment_failures": (
        "- x4 `timeout` · `create payment_intent` at `stripe`",
        "x1 `declined`",
        "no outage: the card",
    ),
    "payments": ("- `stripe` of `web` · 4 of 12 failed (33.3 %)",),
    "processes": ("- `web` `production` · 2 live processes",),
    "providers": ("**unhealthy** `openai` of `web`", "- healthy of `web`: `claude`"),
    "queues": ("- `mail` of `web` · 812 waiting",),
    "slow_calls": ("- x1 · p95 22 s, max 22 s · `shop/orders.py:88` · `openai chat`",),
    "slow_queries": ("- x3 · p95 2.9 s, max 3.1 s · `shop/orders.py:88` · `SELECT * FROM orders WHERE id = ?`",),
    "switches": ("- **`payments` paused** 12 min ago · by `ana` · `double charges`",),
    "top_errors": (
        "- `a41c2e` high x30 · `OperationalError: connection lost` · `shop/orders.py:88` · of `web`",
        r"`KeyError: 'x' *now*\x1b[31m next`",
    ),
    "webhook_errors": ("high x5",),
    "webhook_silence": ("- `stripe` of `web` · last", "longest gap of 14 days"),
    "webhooks": ("- `stripe` of `web` · 40 handled · 1 failed · p95 400 ms to handle", "after the event"),
}


@pytest.fixture
def source(dsn: str) -> Iterator[Source]:
    lane = Lane(dsn, SYSTEM)
    yield Source(store=lambda left_ms: asker(lane, statement_ms=left_ms))
    lane.close()


def test_each_name_gives_what_happened(source: Source, query: Query) -> None:
    fill(query)

    found = gathered(EVIDENCE, source, SYSTEM)

    assert set(WORDS) == set(EVIDENCE)
    missing = {name: found[name] for name, words in WORDS.items() if not all(word in found[name] for word in words)}
    assert missing == {}


def test_where_nothing_happened_each_name_says_so(source: Source) -> None:
    found = gathered(EVIDENCE, source, SYSTEM)

    assert [name for name, text in found.items() if text in {"", NOT_AVAILABLE}] == []
    assert [name for name, text in found.items() if text.startswith("-")] == ["inspections"]


def test_only_the_service_of_the_incident_is_shown(source: Source, query: Query) -> None:
    fill(query)

    found = gathered(EVIDENCE, source, SYSTEM, service="worker", environment="production")

    assert "KeyError" in found["top_errors"]
    assert "a41c2e" not in found["top_errors"]
    names = ("deployments", "dependencies", "payments", "processes", "queues", "emails", "webhooks", "heartbeats")
    assert [name for name in names if "`web`" in found[name]] == []


def test_a_locked_table_is_not_available_within_a_second_and_the_others_answer(
    dsn: str, source: Source, query: Query
) -> None:
    fill(query)
    with psycopg.connect(dsn) as other:
        other.execute("LOCK TABLE otel_guard.system_errors IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        found = gathered(["top_errors", "deployments"], source, SYSTEM)
        took = time.monotonic() - began

    assert found["top_errors"] == NOT_AVAILABLE
    assert "a1b2c3d" in found["deployments"]
    assert took < 1.5


def test_a_slow_statement_is_not_available_within_about_a_second(source: Source, query: Query) -> None:
    query(
        "ALTER TABLE otel_guard.switches RENAME TO kept;"
        "CREATE VIEW otel_guard.switches AS SELECT kept.* FROM otel_guard.kept, pg_sleep(5)"
    )
    began = time.monotonic()

    found = gathered(["switches", "queues"], source, SYSTEM)

    assert found["switches"] == NOT_AVAILABLE
    assert found["queues"].startswith("No queue")
    assert time.monotonic() - began < 2.0


def test_who_idles_in_a_transaction_is_shown_with_its_pid(dsn: str, source: Source) -> None:
    watched = Source(store=source.store, watched=lambda _left_ms: inspector(dsn))
    with psycopg.connect(dsn, application_name="report") as holder:
        holder.execute("SELECT 1")
        pid = holder.info.backend_pid
        (text,) = gathered(["inspections"], watched, SYSTEM).values()

    assert "fine: a connection idles in a transaction for 0 s" in text
    assert f"report, pid {pid}" in text


def test_an_incident_is_taken_by_the_end_of_its_id(
    dsn: str, query: Query, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(query)
    monkeypatch.setenv("OTEL_GUARD_DSN", dsn)

    assert execute(["runbook", "c7e2ab", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["runbook"]
    assert (found["id"], found["incident_id"]) == ("payment-processing", INCIDENT)
    assert "4 of 12 failed" in found["text"]
    assert execute(["runbook", "ffffff"]) == 2
