"""The twelve ways in which one failure is seen twice, each a process of its own, judged by SQL and by what Sentry got."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.acceptance.conftest import Ended, KeepingSentry, Services, python, told

TWELVE = Path(__file__).parent / "twelve"
TRACES = ("1" * 31 + "a", "2" * 31 + "b")
ROWS = "SELECT * FROM otel_guard.system_errors ORDER BY seq"

Row = dict[str, Any]


class Shown:
    """What one script left behind."""

    def __init__(self, ended: Ended, rows: list[Row], sentry: KeepingSentry) -> None:
        self.ended, self.rows, self.sentry = ended, rows, sentry

    @property
    def only(self) -> Row:
        assert len(self.rows) == 1, _table(self.rows)
        return self.rows[0]

    @property
    def event_ids(self) -> list[str]:
        return [event.event_id for event in self.sentry.events]


# Two run at a time while the first are judged; what is chosen with -k comes first.
SCRIPTS = (
    *((number, ()) for number in range(1, 6)),
    *((6, ("quiet",)), (6, ()), (7, ("bare",)), (7, ("from",)), (8, ("ours",)), (8, ("own",)), (9, ("ours",))),
    *((9, ("own",)), (10, ("span_first",)), (10, ("own_first",)), (11, ()), (12, ("process",)), (12, ("thread",))),
    (12, ("asyncio",)),
)
Script = tuple[int, tuple[str, ...]]
Play = Callable[..., Shown]


class Stage:
    """Plays every script once, each with a database and a Sentry of its own."""

    def __init__(self, postgres: Any, services: Services, folder: Path) -> None:
        self._postgres, self._services, self._folder = postgres, services, folder
        self._pool = ThreadPoolExecutor(2)
        self._shown: dict[Script, Future[Shown]] = {}

    def play(self, script: Script) -> Shown:
        for each in (script, *SCRIPTS):
            if each not in self._shown:
                self._shown[each] = self._pool.submit(self._play, each)
        return self._shown[script].result()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _play(self, script: Script) -> Shown:
        number, arguments = script
        folder = self._folder / "_".join([f"row_{number:02}", *arguments])
        folder.mkdir()
        dsn, server = self._postgres.fresh("otel_guard_template"), KeepingSentry()
        try:
            env = told(dsn, self._services, server, folder)
            ended = python(TWELVE / f"row_{number:02}.py", *arguments, env=env, cwd=folder)
        finally:
            server.stop()
        with psycopg.connect(dsn, row_factory=psycopg.rows.dict_row) as database:
            return Shown(ended, database.execute(ROWS).fetchall(), server)


@pytest.fixture(scope="module")
def stage(postgres: Any, services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    opened = Stage(postgres, services, tmp_path_factory.mktemp("twelve"))
    yield opened
    opened.close()


@pytest.fixture
def play(stage: Stage) -> Play:
    def played(number: int, *arguments: str, code: int = 0) -> Shown:
        shown = stage.play((number, arguments))
        assert shown.ended.code == code, shown.ended.err
        assert all(row["repeat_count"] == 1 for row in shown.rows), _table(shown.rows)
        assert "otel-guard:" not in shown.ended.err, shown.ended.err
        return shown

    return played


def test_01_a_stripe_failure_reported_with_all_keywords_and_raised_again_is_one_row_as_reported(play: Play) -> None:
    shown = play(1)
    row = shown.only
    assert shown.ended.said("status") == ["500"]
    assert (row["severity"], row["context"], row["system"]) == ("low", "queue", "stripe")
    assert (row["user_id"], row["route"], row["handled"]) == ("u-1", "/buy/<item>", False)
    assert row["metadata"]["order"] == "o-17"
    assert row["metadata"]["attributes"]["http.response.status_code"] == 500
    assert row["trace_id"] == TRACES[0]
    assert len(shown.event_ids) == 1


def test_02_four_nested_spans_are_one_row_of_the_innermost_with_the_outers_route_and_user(play: Play) -> None:
    shown = play(2)
    row = shown.only
    assert (row["system"], row["error_type"]) == ("stripe", "stripe._error.RateLimitError")
    assert (row["severity"], row["context"], row["handled"]) == ("high", "payment", False)
    assert (row["route"], row["user_id"]) == ("/buy/<item>", "u-1")
    assert len(shown.event_ids) == 1


def test_03_an_ai_failure_that_is_logged_and_handled_is_one_row_with_the_log(play: Play) -> None:
    shown = play(3)
    row = shown.only
    assert shown.ended.said("status") == ["200"]
    assert (row["error_type"], row["context"], row["severity"]) == ("openai.RateLimitError", "ai", "medium")
    assert row["handled"] is True
    assert row["metadata"]["logged"] == {"logger": "shop", "level": "ERROR", "message": "no summary for o-17"}
    assert len(shown.event_ids) == 1


def test_04_a_bug_that_is_logged_inside_a_span_is_one_row_of_that_spans_context(play: Play) -> None:
    shown = play(4)
    row = shown.only
    assert (row["error_type"], row["context"], row["severity"]) == ("ZeroDivisionError", "payment", "high")
    assert (row["handled"], row["route"]) == (False, "/buy/<item>")
    assert row["metadata"]["logged"]["message"] == "no price for o-17"
    assert len(shown.event_ids) == 1


def test_05_a_sql_failure_that_leaves_the_view_is_one_row_of_the_database(play: Play) -> None:
    shown = play(5)
    row = shown.only
    assert (row["context"], row["system"], row["severity"]) == ("database", "postgresql", "high")
    assert (row["route"], row["user_id"], row["handled"]) == ("/buy/<item>", "u-1", False)
    assert len(shown.event_ids) == 1


def test_06_an_http_500_and_its_raise_for_status_are_one_row_with_type_and_stack(play: Play) -> None:
    first = play(6, "quiet").only
    shown = play(6)
    row = shown.only
    assert (first["error_type"], first["stack_trace"]) == ("500", None)
    assert row["error_type"] == "requests.exceptions.HTTPError"
    assert "raise_for_status" in row["stack_trace"]
    assert (row["severity"], row["handled"], row["route"]) == ("high", False, "/buy/<item>")
    assert row["fingerprint"] == first["fingerprint"]
    assert len(shown.event_ids) == 1
    raised = shown.sentry.whole[0]["exception"]["values"][-1]
    assert raised["type"] == "HTTPError"
    assert raised["stacktrace"]["frames"]


@pytest.mark.parametrize("how", ["bare", "from"])
def test_07_a_stripe_failure_raised_as_another_is_stripes_row(play: Play, how: str) -> None:
    shown = play(7, how)
    row = shown.only
    assert (row["error_type"], row["system"], row["severity"]) == ("stripe._error.APIError", "stripe", "high")
    assert (row["handled"], row["route"]) == (False, "/buy/<item>")
    raised = row["metadata"]["raised_as"]
    assert (raised["type"], raised["message"]) == ("scene.CheckoutError", "order o-17 not paid")
    assert raised["place"]["code.function.name"] == "view"
    assert len(shown.event_ids) == 1


@pytest.mark.parametrize(("sentry", "events"), [("ours", 2), ("own", 1)])
def test_08_a_failed_fallback_is_two_rows_the_second_caused_by_the_first(play: Play, sentry: str, events: int) -> None:
    shown = play(8, sentry)
    assert len(shown.rows) == 2, _table(shown.rows)
    first, second = shown.rows
    assert (first["error_type"], first["severity"], first["handled"]) == ("openai.RateLimitError", "medium", True)
    assert (second["error_type"], second["severity"]) == ("openai.InternalServerError", "high")
    assert (second["handled"], second["route"], second["caused_by"]) == (False, "/buy/<item>", first["id"])
    assert first["caused_by"] is None
    assert len(shown.event_ids) == events


@pytest.mark.parametrize(("sentry", "events"), [("ours", 3), ("own", 1)])
def test_09_three_failed_tasks_are_three_rows_and_their_group_none(play: Play, sentry: str, events: int) -> None:
    shown = play(9, sentry)
    assert [row["error_type"] for row in shown.rows] == ["openai.RateLimitError"] * 3, _table(shown.rows)
    assert {(row["severity"], row["handled"], row["route"]) for row in shown.rows} == {("high", False, "/buy/<item>")}
    assert {row["trace_id"] for row in shown.rows} == {TRACES[0]}
    assert len(shown.event_ids) == events


@pytest.mark.parametrize(
    ("order", "error_type", "severity"),
    [("span_first", "stripe._error.APIError", "high"), ("own_first", "ZeroDivisionError", "high")],
)
def test_10_what_the_applications_own_sentry_reported_is_linked_and_not_sent_again(
    play: Play, order: str, error_type: str, severity: str
) -> None:
    shown = play(10, order)
    row = shown.only
    assert (row["error_type"], row["severity"], row["handled"]) == (error_type, severity, True)
    own = shown.ended.said("own")
    assert shown.event_ids == own
    assert row["sentry_event_id"] == own[0]


def test_11_one_object_raised_in_two_requests_is_two_rows(play: Play) -> None:
    shown = play(11)
    assert [row["trace_id"] for row in shown.rows] == list(TRACES), _table(shown.rows)
    assert {(row["severity"], row["handled"], row["caused_by"]) for row in shown.rows} == {("high", False, None)}
    assert len(shown.event_ids) == 2


@pytest.mark.parametrize(("hook", "severity"), [("process", "high"), ("thread", "medium"), ("asyncio", "medium")])
def test_12_what_nobody_caught_is_one_unhandled_row(play: Play, hook: str, severity: str) -> None:
    shown = play(12, hook, code=1 if hook == "process" else 0)
    row = shown.only
    assert (row["error_type"], row["context"]) == ("stripe._error.RateLimitError", "payment")
    assert (row["severity"], row["handled"]) == (severity, False)
    assert "RateLimitError" in shown.ended.err  # the application's own output is there all the same
    assert len(shown.event_ids) == 1


def _table(rows: list[Row]) -> str:
    names = (
        "error_type",
        "context",
        "severity",
        "handled",
        "route",
        "trace_id",
        "caused_by",
        "repeat_count",
        "metadata",
    )
    return json.dumps([{name: row[name] for name in names} for row in rows], indent=1, default=str)
