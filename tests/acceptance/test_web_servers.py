"""Applications without a line of ours under every server we know: rows, events and routes are those of one process."""

import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from otel_guard.demo.processes import Child, script
from tests.acceptance.conftest import KeepingSentry, run
from tests.acceptance.site import APPLICATION, Asked, Site, wait_for
from tests.acceptance.test_main_job import BY_TRACE

ARRIVES_S = 45.0
TASKS_ARRIVE_S = 90.0  # a child that ended leaves its journal to whoever comes next
KEY = "k3yOfAnOrder"
DJANGO = APPLICATION / "django_shop"
Query = Callable[..., list[dict[str, Any]]]
Command = Callable[[int], list[str]]


def uvicorn(app: str, *options: str) -> Command:
    return lambda port: [script("uvicorn"), app, "--host", "127.0.0.1", "--port", str(port), *options]


def gunicorn(app: str, *options: str) -> Command:
    return lambda port: [script("gunicorn"), "--no-control-socket", "-b", f"127.0.0.1:{port}", *options, app]


def flask(*options: str) -> Command:
    return lambda port: [script("flask"), "--app", "plain_shop", "run", "-h", "127.0.0.1", "-p", str(port), *options]


def manage(*options: str) -> Command:
    return lambda port: [sys.executable, "manage.py", "runserver", *options, f"127.0.0.1:{port}"]


SERVERS: dict[str, tuple[Command, Path]] = {
    "fastapi": (uvicorn("fast_shop:app"), APPLICATION),
    "fastapi, two workers": (uvicorn("fast_shop:app", "--workers", "2"), APPLICATION),
    "fastapi, reloading": (uvicorn("fast_shop:app", "--reload"), APPLICATION),
    "starlette": (uvicorn("star_shop:app"), APPLICATION),
    "starlette, two workers": (uvicorn("star_shop:app", "--workers", "2"), APPLICATION),
    "django, asgi": (uvicorn("shop_asgi:application"), DJANGO),
    "django, forked": (gunicorn("shop_wsgi:application", "-w", "2"), DJANGO),
    "django, preloaded": (gunicorn("shop_wsgi:application", "-w", "2", "--preload"), DJANGO),
    "django, reloading": (manage(), DJANGO),
    "django, threads": (manage("--noreload"), DJANGO),
    "flask, reloading": (flask("--reload"), APPLICATION),
}
# Options of the worker, and whether it has processes of its own for the tasks.
WORKERS: dict[str, tuple[list[str], bool]] = {
    "prefork": (["-c", "2"], True),
    "prefork, one task a process": (["-c", "2", "--max-tasks-per-child", "1"], True),
    "threads": (["-P", "threads", "-c", "2"], False),
    "solo": (["-P", "solo"], False),
}
# Task: (error type, context, severity, handled, Sentry events); None: no row. Those below kill a process of the pool.
TASKS: dict[str, tuple[str, str, str, bool, int] | None] = {
    "add:1,2": None,
    "bug:tea": ("KeyError", "queue", "high", False, 1),
    "expected:tea": None,
}
DEADLY: dict[str, tuple[str, str, str, bool, int] | None] = {
    "dies": ("billiard.exceptions.WorkerLostError", "queue", "high", False, 1),
    "hangs": ("billiard.exceptions.TimeLimitExceeded", "queue", "high", False, 1),
}
# Path: (status, rows, has a stack)
PATHS = {
    f"/orders/{KEY}/": (500, 1, True),
    f"/soon/{KEY}/": (500, 1, True),
    "/down": (503, 1, False),
    "/refused": (403, 0, False),
    "/nowhere": (404, 0, False),
    "/": (200, 0, False),
}


class Server(Site):
    """Any server under `otel-guard run`."""

    def __init__(self, command: Command, env: Mapping[str, str], cwd: Path, folder: Path) -> None:
        self.port = free_port()
        before = [script("otel-guard"), "run", "--"]
        self._child = Child([*before, *command(self.port)], env=env, cwd=cwd, log=folder / "server.log")


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, env: dict[str, str], tmp_path: Path) -> Iterator[Server]:
    command, cwd = SERVERS[request.param]
    started = Server(command, env, cwd, tmp_path)
    try:
        started.await_ready()
        yield started
    finally:
        started.stop()


def test_a_failed_request_has_one_row_and_one_event_whatever_the_server(
    server: Server, query: Query, sentry_server: KeepingSentry
) -> None:
    asked = server.get_all([*PATHS] * 2)

    wait_for(lambda: not _missing(query, asked), ARRIVES_S, lambda: f"{_missing(query, asked)}\n{server.log}")
    due = {one.trace_id for one in asked if PATHS[one.path][1]}
    wait_for(lambda: due <= set(sentry_server.ids_by_trace()), ARRIVES_S, lambda: str(sentry_server.ids_by_trace()))
    server.stop()
    assert [(one.path, one.status) for one in asked] == [(path, PATHS[path][0]) for path in [*PATHS] * 2]
    wrong = [line for one in asked if (line := _judge(one, query(BY_TRACE, [one.trace_id])))]
    assert not wrong, "\n".join(wrong)
    assert {len(ids) for ids in sentry_server.ids_by_trace().values()} == {1}


@pytest.mark.parametrize("worker", WORKERS)
def test_a_failed_task_has_one_row_and_one_event_in_the_trace_of_who_sent_it(
    worker: str, env: dict[str, str], query: Query, sentry_server: KeepingSentry, tmp_path: Path
) -> None:
    options, has_processes = WORKERS[worker]
    expected = TASKS | (DEADLY if has_processes else {})
    (tmp_path / "queue").mkdir()
    env = env | {"QUEUE_FOLDER": str(tmp_path / "queue"), "PYTHONPATH": str(APPLICATION)}
    command = [
        script("otel-guard"),
        "run",
        "--",
        script("celery"),
        "-A",
        "queue_shop",
        "worker",
        "-l",
        "info",
        *options,
    ]
    child = Child(command, env=env, cwd=tmp_path, log=tmp_path / "worker.log")
    try:
        sent = dict(line.split(" ") for line in _sent([*expected, "flaky"], env, tmp_path))
        due = {name: sent[name] for name, row in expected.items() if row is not None}
        wait_for(
            lambda: (
                _traces(query, [*due.values(), sent["flaky"]], 2)
                and {*due.values(), sent["flaky"]} <= set(sentry_server.ids_by_trace())
            ),
            TASKS_ARRIVE_S,
            lambda: f"{sent} {query(BY_TRACE, list(sent.values()))}\n{child.log_path.read_text()}",
        )
    finally:
        child.stop()

    rows = query(BY_TRACE + " ORDER BY created_at, seq", list(sent.values()))
    actual = {name: [_facts(row) for row in rows if row["trace_id"] == trace_id] for name, trace_id in sent.items()}
    assert actual.pop("flaky") == [
        ("ConnectionError", "queue", "low", True),
        ("ConnectionError", "queue", "high", False),
    ]
    assert actual == {name: [row[:4]] if row is not None else [] for name, row in expected.items()}
    events = {name: len(sentry_server.ids_by_trace().get(trace_id, ())) for name, trace_id in sent.items()}
    assert events == {name: row[4] if row else 0 for name, row in expected.items()} | {"flaky": 1}


def _sent(names: Sequence[str], env: Mapping[str, str], cwd: Path) -> list[str]:
    """Send the tasks from a process of its own; a line each: name and trace id."""
    code = [script("otel-guard"), "run", "--", sys.executable, str(APPLICATION / "queue_send.py"), *names]
    ended = run(code, env, cwd)
    assert ended.code == 0, ended.err
    return ended.said("sent")


def _traces(query: Query, traces: Sequence[str], last: int) -> bool:
    """A row for each, and *last* for the last."""
    found = [row["trace_id"] for row in query(BY_TRACE, list(traces))]
    return set(found) == set(traces) and found.count(traces[-1]) == last


def _facts(row: Mapping[str, Any]) -> tuple[str, str, str, bool]:
    return row["error_type"], row["context"], row["severity"], row["handled"]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _missing(query: Query, asked: Sequence[Asked]) -> list[Asked]:
    found = {row["trace_id"] for row in query(BY_TRACE, [one.trace_id for one in asked])}
    return [one for one in asked if PATHS[one.path][1] and one.trace_id not in found]


def _judge(one: Asked, rows: Sequence[dict[str, Any]]) -> str | None:
    """What is wrong with the rows of one request."""
    _, count, has_stack = PATHS[one.path]
    if len(rows) != count:
        return f"{one}: {len(rows)} rows {rows}"
    if not rows:
        return None
    row = rows[0]
    actual = (row["context"], row["severity"], row["handled"], row["stack_trace"] is not None)
    if actual != ("api", "high", not has_stack, has_stack):
        return f"{one}: {actual} {row}"
    if not row["route"] or KEY in str(row["metadata"].get("attributes")):
        return f"{one}: {row['route']} {row['metadata']}"
    return None
