"""Celery: contrib's spans of producers and tasks, and what they don't say: failures, retries, lost and revoked tasks."""

import sys
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

from celery import signals  # type: ignore[import-untyped]
from celery.exceptions import TaskRevokedError, TimeLimitExceeded  # type: ignore[import-untyped]
from kombu.exceptions import OperationalError
from opentelemetry import context, trace
from opentelemetry.trace import SpanKind

from otel_guard.core import semconv
from otel_guard.instrumentation._celery_spans import attached, carried, excuse, fail, not_sent, task_span, warn
from otel_guard.instrumentation._engine import Adopt, Instrumentation, Services, find, instrumentor, unwrap, wrap
from otel_guard.instrumentation._engine_web import said_user

_CONTRIB: Final = "opentelemetry.instrumentation.celery"
_NAME: Final = "CeleryInstrumentor"
_APP: Final = "celery.app.base"
_REQUEST: Final = "celery.worker.request"
_MOST_STOPPED: Final = 100

_is_late: Final[ContextVar[bool]] = ContextVar("otel_guard_celery_late", default=False)


def adopt(services: Services) -> Callable[[], None]:
    """Start contrib's spans; our receivers are connected after its own, so they find its span open."""
    contrib = sys.modules.get(_CONTRIB)
    # Half-loaded: the application is just importing it, to start it itself.
    is_theirs = contrib is not None and not hasattr(contrib, _NAME)
    stop = None if is_theirs else instrumentor(_CONTRIB, _NAME)(services)
    tasks = _Tasks(services)
    pairs = (
        (signals.task_prerun, tasks.begins),
        (signals.task_failure, tasks.fails),
        (signals.task_internal_error, tasks.breaks),
        (signals.task_retry, tasks.retries),
        (signals.task_revoked, tasks.revoked),
        (signals.worker_process_shutdown, tasks.child_ends),
    )
    for signal, receiver in pairs:
        signal.connect(receiver, weak=False)
    places = (
        (find(sys.modules[_APP], "Celery.send_task"), tasks.sent),
        (find(sys.modules[_REQUEST], "Request.on_timeout"), tasks.late),
    )
    patches = [wrap(place, watched) for place, watched in places if place is not None]

    def undo() -> None:
        for signal, receiver in pairs:
            signal.disconnect(receiver)
        while patches:
            unwrap(patches.pop())
        if stop is not None:
            stop()

    return undo


class _Tasks:
    """What Celery's signals tell the capture."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._stopped: deque[str | None] = deque(maxlen=_MOST_STOPPED)  # ids that reached their time limit

    def begins(self, task: Any = None, **_: Any) -> None:
        """A task starts: contrib names it only at its end."""
        with self._services.failsafe("celery.begins"):
            span = trace.get_current_span()
            if getattr(span, "kind", None) is SpanKind.CONSUMER:
                span.set_attribute(semconv.CELERY_TASK_NAME, task.name)

    def fails(self, sender: Any = None, task_id: str | None = None, exception: Any = None, **_: Any) -> None:
        """A task failed; in the main process: its worker is lost, or it was stopped at its time limit."""
        with self._services.failsafe("celery.fails"):
            live = sys.exc_info()[1]  # *exception* may be a copy that can be pickled
            exc = live if isinstance(live, Exception) else getattr(exception, "exc", exception)
            if not isinstance(exc, BaseException) or (isinstance(exc, TimeLimitExceeded) and self._is_told(task_id)):
                return
            with task_span(self._services, sender.name, task_id, carried(sender.request)) as span:
                if isinstance(exc, sender.throws or ()):
                    excuse(self._services, span, exc)
                    return
                self._services.unhandled(exc, route=None, user_id=said_user(span))
                if not _is_failed(span):
                    fail(span, exc)

    def breaks(self, sender: Any = None, task_id: str | None = None, einfo: Any = None, **_: Any) -> None:
        """Celery itself failed round a task (its result store, a receiver)."""
        with self._services.failsafe("celery.breaks"):
            exc = getattr(einfo.exception, "exc", einfo.exception)
            with task_span(self._services, sender.name, task_id, carried(sender.request)) as span:
                self._services.unhandled(exc, route=None, user_id=said_user(span))
                fail(span, exc)

    def retries(self, sender: Any = None, request: Any = None, reason: Any = None, **_: Any) -> None:
        """A task will be tried again."""
        with self._services.failsafe("celery.retries"):
            exc = getattr(reason, "exc", None)
            exc = exc if isinstance(exc, BaseException) else reason
            if isinstance(exc, BaseException):
                with task_span(self._services, sender.name, request.id, carried(request)) as span:
                    warn(self._services, span, exc)

    def revoked(self, sender: Any = None, request: Any = None, expired: bool = False, **_: Any) -> None:
        """A task will not run, or was stopped: somebody's wish; if it expired, nobody came in time."""
        with (
            self._services.failsafe("celery.revoked"),
            task_span(self._services, sender.name, request.id, carried(request)) as span,
        ):
            if expired:
                warn(self._services, span, TaskRevokedError("expired before a worker took it"))
            else:
                span.set_attribute(semconv.GUARD_OUTCOME, "cancelled")

    def child_ends(self, **_: Any) -> None:
        """A process of the pool ends, without `atexit`."""
        with self._services.failsafe("celery.flush"):
            self._services.flush()

    def sent(self, wrapped: Callable[..., Any], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`Celery.send_task`, where every way to send a task ends."""
        before = context.get_current()
        try:
            return wrapped(*args, **kwargs)
        except Exception as exc:
            with self._services.failsafe("celery.not_sent"):
                name = str(args[0] if args else kwargs.get("name"))
                kind = "connection" if isinstance(exc, OperationalError | OSError) else "unknown"
                not_sent(self._services, name, before, exc, kind)
            raise

    def late(self, wrapped: Callable[..., Any], request: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`Request.on_timeout` in the main process: its failure belongs to the task's trace."""
        parent = None
        with self._services.failsafe("celery.late"):
            parent = carried(request.request_dict)
        token = _is_late.set(True)
        try:
            with attached(parent):
                return wrapped(*args, **kwargs)
        finally:
            _is_late.reset(token)

    def _is_told(self, task_id: str | None) -> bool:
        """A time limit is told twice: by the pool, and (since Celery 5.6) by the request."""
        if not _is_late.get():
            self._stopped.append(task_id)
            return False
        was_told = task_id in self._stopped
        if was_told:
            self._stopped.remove(task_id)
        return was_told


def _is_failed(span: Any) -> bool:
    status = getattr(span, "status", None)
    return status is not None and not status.is_unset


CELERY: Final = Instrumentation(
    name="celery",
    requires="celery >= 5",
    context="queue",
    system="celery",
    targets=(
        Adopt(
            module="celery.worker.request",
            adopt=adopt,
            needs=((_APP, "Celery.send_task"), (_REQUEST, "Request.on_timeout")),
        ),
    ),
)
