import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import celery  # type: ignore[import-untyped]
import pytest
from celery.contrib.testing.worker import start_worker  # type: ignore[import-untyped]
from celery.exceptions import Ignore, TaskRevokedError  # type: ignore[import-untyped]
from celery.worker.state import revoked as revoked_tasks  # type: ignore[import-untyped]
from kombu.exceptions import OperationalError
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from otel_guard.core import marks, semconv
from otel_guard.core.outcome import Outcome
from otel_guard.instrumentation.celery import CELERY
from otel_guard.runtime.clock import SYSTEM
from tests.unit.instrumentation.conftest import MakeWorld, World

LIMIT_S = 20.0


class ExpectedError(Exception):
    pass


class UnpicklableError(Exception):
    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} {two}")


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    flushed: list[str] = []
    world = make_world(flush=lambda: flushed.append("flushed"))
    world.flushed = flushed  # type: ignore[attr-defined]
    world.engine.install(CELERY)
    return world


@pytest.fixture
def app(world: World) -> Iterator[celery.Celery]:
    assert world.spans() == []
    made = celery.Celery("shop", broker=f"memory://{uuid.uuid4().hex}", backend="cache+memory://")
    made.conf.update(task_default_queue=uuid.uuid4().hex, worker_hijack_root_logger=False)
    _tasks(made)
    yield made
    made.close()


def _tasks(made: celery.Celery) -> None:
    for name, function in {"add": _add, "bug": _bug, "unpicklable": _unpicklable, "ignored": _ignored}.items():
        made.task(shared=False, name=name)(function)
    made.task(shared=False, name="expected", throws=(ExpectedError,))(_expected)
    made.task(shared=False, name="flaky", bind=True, max_retries=1)(_flaky)


def _add(one: int, two: int) -> int:
    return one + two


def _bug() -> None:
    raise ValueError("bug")


def _unpicklable() -> None:
    raise UnpicklableError("one", "two")


def _expected() -> None:
    raise ExpectedError


def _ignored() -> None:
    raise Ignore


def _flaky(task: Any) -> None:
    raise task.retry(exc=ConnectionError("away"), countdown=0)


def work(app: celery.Celery, world: World, ended: int) -> None:
    """A worker in this process until *ended* tasks have ended."""

    def is_done() -> bool:
        return len(tasks_of(world)) >= ended

    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=LIMIT_S):
        until = SYSTEM.monotonic() + LIMIT_S
        while not is_done():
            assert SYSTEM.monotonic() < until, [span.name for span in world.spans()]
            SYSTEM.sleep(0.02)


def tasks_of(world: World) -> list[Any]:
    return [span for span in world.spans() if span.kind is SpanKind.CONSUMER]


def test_the_trace_goes_from_producer_to_task(world: World, app: celery.Celery) -> None:
    with world.provider.get_tracer("shop").start_as_current_span("checkout") as outer:
        app.tasks["add"].delay(1, 2)
        app.send_task("add", (3, 4))
        app.send_task("unknown here", queue="elsewhere")
        assert trace.get_current_span() is outer
    work(app, world, 2)

    assert [span.name for span in tasks_of(world)] == ["run/add"] * 2
    assert {span.context.trace_id for span in world.spans()} == {outer.get_span_context().trace_id}
    producers = [span for span in world.spans() if span.kind is SpanKind.PRODUCER]
    assert [span.name for span in producers] == ["apply_async/add", "apply_async/add", "apply_async/unknown here"]
    assert tasks_of(world)[0].attributes[semconv.CELERY_TASK_NAME] == "add"
    assert world.unhandled == []


@pytest.mark.parametrize(("name", "kind"), [("bug", ValueError), ("unpicklable", UnpicklableError)])
def test_a_failed_task_is_told_with_its_own_exception(
    world: World, app: celery.Celery, name: str, kind: type[Exception]
) -> None:
    app.tasks[name].delay()
    work(app, world, 1)

    ((exc, route, user_id),) = world.unhandled
    assert (type(exc), route, user_id) == (kind, None, None)
    (span,) = tasks_of(world)
    assert span.status.status_code is StatusCode.ERROR
    assert len(span.events) == 1


@pytest.mark.parametrize("name", ["expected", "ignored"])
def test_an_exception_that_the_task_may_throw_is_no_failure(world: World, app: celery.Celery, name: str) -> None:
    app.tasks[name].delay()
    work(app, world, 1)

    assert world.unhandled == []
    assert tasks_of(world)[0].status.status_code is not StatusCode.ERROR
    assert [marks.get(exc) is not None for _, exc, _, _ in world.handed if exc is not None] == [True] * len(
        world.handed
    )


def test_a_retry_is_a_warning_and_the_last_attempt_a_failure(world: World, app: celery.Celery) -> None:
    app.tasks["flaky"].delay()
    work(app, world, 2)

    ((span, exc, outcome, _),) = world.handed
    assert (type(exc), outcome) == (ConnectionError, Outcome("ok"))
    first, last = tasks_of(world)
    assert first.context.span_id == span.get_span_context().span_id
    assert (first.status.status_code, [event.name for event in first.events]) == (StatusCode.UNSET, ["exception"])
    assert last.status.status_code is StatusCode.ERROR
    assert [type(told[0]) for told in world.unhandled] == [ConnectionError]


def test_an_expired_task_is_a_warning(world: World, app: celery.Celery) -> None:
    app.tasks["add"].apply_async((1, 2), expires=datetime(2020, 1, 1, tzinfo=UTC))
    work(app, world, 1)

    ((_, exc, outcome, _),) = world.handed
    assert (type(exc), outcome.kind) == (TaskRevokedError, "ok")
    (span,) = tasks_of(world)
    assert (span.name, span.status.status_code) == ("run/add", StatusCode.UNSET)
    assert span.context.trace_id == world.spans()[0].context.trace_id


def test_a_revoked_task_is_cancelled(world: World, app: celery.Celery) -> None:
    task_id = uuid.uuid4().hex
    app.tasks["add"].apply_async((1, 2), task_id=task_id)
    revoked_tasks.add(task_id)
    work(app, world, 1)

    (span,) = tasks_of(world)
    assert span.attributes[semconv.GUARD_OUTCOME] == "cancelled"
    assert world.unhandled == []


@pytest.mark.parametrize("name", ["add", "unknown here"])
def test_a_message_that_is_not_sent_is_a_failure_and_leaves_nothing_current(world: World, name: str) -> None:
    with celery.Celery("shop", broker="filesystem://") as app:
        _tasks(app)
        app.conf.broker_transport_options = {"data_folder_out": "/dev/null/no", "data_folder_in": "/dev/null/no"}
        app.conf.task_publish_retry = False

        with pytest.raises((OperationalError, OSError)) as raised:
            app.send_task(name, (1, 2))

    assert not trace.get_current_span().get_span_context().is_valid
    failed = [span for span in world.spans() if span.status.status_code is StatusCode.ERROR]
    assert [(span.kind, span.name) for span in failed] == [(SpanKind.PRODUCER, f"apply_async/{name}")]
    ((_, exc, outcome, _),) = world.handed
    assert exc is raised.value
    assert (outcome.kind, outcome.error_class) == ("failed", "connection")


def test_an_eager_task_is_told_too(world: World, app: celery.Celery) -> None:
    with pytest.raises(ValueError, match="bug"):
        app.tasks["bug"].apply(throw=True)

    assert [type(told[0]) for told in world.unhandled] == [ValueError]
    assert not trace.get_current_span().get_span_context().is_valid


def test_a_process_of_the_pool_flushes_at_its_end(world: World) -> None:
    celery.signals.worker_process_shutdown.send(sender=None, pid=1, exitcode=0)

    assert world.flushed == ["flushed"]  # type: ignore[attr-defined]


def test_uninstrument_disconnects(world: World, app: celery.Celery) -> None:
    world.engine.uninstrument()

    app.tasks["bug"].apply()

    assert (world.unhandled, world.spans()) == ([], [])
