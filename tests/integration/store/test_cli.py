import json
from collections.abc import Callable
from typing import Any

import pytest

from otel_guard.cli import execute
from otel_guard.core.record import Repeat, SlowCall
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.ids import uuid7
from otel_guard.store.audit import rows_by_trace
from otel_guard.store.heartbeats import Beat

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
Cli = Callable[..., str]


@pytest.fixture
def shop(store: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Some records of this minute; returns the id of the declined card."""
    monkeypatch.setenv("OTEL_GUARD_DSN", store.dsn)
    monkeypatch.setenv("COLUMNS", "80")
    declined = uuid7(SYSTEM.now_ms())
    place = {"code.file.path": "shop/pay.py", "code.line.number": 41, "code.function.name": "pay"}
    records = [
        store.error(
            1, id=declined, error_type="stripe.CardError", message="declined [bold]\n\x1b[2Jsecond", context="payment", severity="high",
            fingerprint="a41c92e0aabbccdd", title="stripe.CardError: " + "declined " * 10, system="stripe", operation="charge",
            route="POST /checkout", user_id="42", handled=False, trace_id=TRACE, sentry_event_id="9" * 32,
            metadata={"order_id": 17, "place": place, "trail": [[0, "database", "SELECT products", 3.2, "ok"]]},
        ),
        Repeat(
            id=uuid7(SYSTEM.now_ms()), seq=2, n=30, error_type="E", message="429", context="ai", severity="medium",
            fingerprint="bb1c92e0aabbccdd", title="E: 429", parts=(),
        ),
        SlowCall(
            id=uuid7(SYSTEM.now_ms()), type="database_query", value=812, duration_ms=812, query_text="SELECT\n 1", table_name="t",
            metadata={"place": place}, trace_id=TRACE,
        ),
    ]  # fmt: skip
    sink = store.sink()
    sink.deliver(store.batch(*records))
    sink.beat(
        Beat(
            name="shop",
            instance="web-1:7",
            service="shop",
            detail={"journal_bytes": 2048, "oldest_s": 0.5, "dropped": 3},
        )
    )
    return declined


@pytest.fixture
def cli(shop: str, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run a command and return what it printed."""
    assert shop

    def call(*arguments: str, code: int = 0) -> str:
        assert execute(arguments) == code
        return capsys.readouterr().out

    return call


def test_errors_lists_the_groups_worst_first(cli: Cli) -> None:
    lines = cli("errors").splitlines()

    assert [line.split()[:3] for line in lines[1:3]] == [["a41c92", "high", "x1"], ["bb1c92", "medium", "x30"]]
    assert max(map(len, lines)) <= 80
    assert lines[-1].startswith("31 errors of 2 kinds in 24h")


@pytest.mark.parametrize("since", ["1h", "48h", "30d"])
def test_errors_counts_the_same_from_rows_and_from_hours(cli: Cli, since: str) -> None:
    groups = json.loads(cli("errors", "--since", since, "--json"))["groups"]

    assert [(group["fingerprint"], group["n"], group["occurrences"]) for group in groups] == [
        ("a41c92e0aabbccdd", 1, 1),
        ("bb1c92e0aabbccdd", 30, 30),
    ]


@pytest.mark.parametrize("width", [80, 140])
def test_one_error_is_shown_in_full(cli: Cli, shop: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    text = cli("errors", shop[-6:])

    shown = (
        "stripe.CardError: declined [bold]", "\\x1b[2Jsecond", "high", "payment · stripe · charge · unhandled",
        "shop/pay.py:41 in pay", "POST /checkout", "user 42", "shop · test · r1 · web-1", TRACE, "9" * 32, shop,
        "+0 ms  database  SELECT products  3 ms  ok", "Traceback", "order_id  17", "Group a41c92", "open · once · first",
    )  # fmt: skip
    assert [part for part in shown if part not in text] == []
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= width


def test_an_error_is_taken_by_either_end(cli: Cli, shop: str) -> None:
    asked = (shop, shop[-6:], shop[-8:].upper(), "a41c", "a41c92e0aabbccdd")
    answers = [json.loads(cli("errors", given, "--json")) for given in asked]

    assert {answer["error"]["id"] for answer in answers} == {shop}
    assert {answer["group"]["fingerprint"] for answer in answers} == {"a41c92e0aabbccdd"}
    assert {answer["schema"] for answer in answers} == {"otel_guard.error.v1"}
    assert answers[0]["error"]["trace_id"] == TRACE


@pytest.mark.parametrize("given", ["ffffff", "nope", "%", "' OR 1=1 --"])
def test_an_unknown_error_is_exit_1(cli: Cli, given: str) -> None:
    assert json.loads(cli("errors", "--json", "--", given, code=1))["do"].startswith("see `otel-guard errors`")


def test_a_trace_shows_its_errors(cli: Cli, store: Any) -> None:
    answer = json.loads(cli("errors", "--trace", TRACE.upper(), "--json"))

    assert answer["schema"] == "otel_guard.trace.v1"
    assert [error["error_type"] for error in answer["errors"]] == ["stripe.CardError"]
    assert "stripe.CardError: declined [bold]" in cli("errors", "--trace", TRACE)
    assert rows_by_trace(store.dsn) == {TRACE: (1, 1)}


def test_slow_shows_query_and_place(cli: Cli) -> None:
    (query,) = json.loads(cli("slow", "--json"))["queries"]

    assert (query["query_text"], query["table_name"], query["n"]) == ("SELECT\n 1", "t", 1)
    assert (query["p95_ms"], query["max_ms"], query["place"]["code.line.number"]) == (812, 812, 41)
    assert "SELECT 1" in cli("slow")
    assert "shop/pay.py:41 in pay" in cli("slow")


def test_status_is_a_line_and_the_processes(cli: Cli, store: Any) -> None:
    store.query(
        "INSERT INTO otel_guard.incidents (state, type, dedup_key, severity) VALUES ('firing', 't', 'k', 'high')"
    )
    store.query("INSERT INTO otel_guard.switches (name, enabled) VALUES ('payments', false)")
    state = json.loads(cli("status", "--json"))

    assert state["incidents"] == {"firing": 1, "acknowledged": 0}
    assert [(row["instance"], row["journal_bytes"], row["oldest_s"], row["dropped"]) for row in state["processes"]] == [
        ("web-1:7", 2048, 0.5, 3)
    ]
    assert state["monitor"] == {"leader": None, "last_cycle_at": None}
    assert cli("status").startswith("1 firing · payments paused · no monitor yet\n")


def test_migrate_says_what_it_did(cli: Cli, empty_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_GUARD_DSN", empty_dsn)

    assert cli("errors", code=2) == ""
    assert cli("migrate").splitlines()[-1] == "applied 3, now at 0003"
    assert json.loads(cli("migrate", "--json")) == {"schema": "otel_guard.migrate.v1", "applied": [], "version": 3}
    assert cli("errors") == "no error in 24h\n"
