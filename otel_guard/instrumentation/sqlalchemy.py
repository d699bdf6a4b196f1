"""SQLAlchemy: one span a statement, of every engine, and failed connects (instrumentation.md, section 4)."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import Token
from typing import Any, Final

from msgspec import Struct
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from sqlalchemy import Engine, event, exc

from otel_guard.core import database_errors, semconv, sql
from otel_guard.core.outcome import Attribute, Facts, Outcome
from otel_guard.instrumentation._engine import Adopt, Instrumentation, Services, find, unwrap, wrap
from otel_guard.runtime.suppression import KEYS, is_sending

_OPEN: Final = "_otel_guard_statement"  # in a Connection's `__dict__`, while its cursor executes
_THEIRS: Final = "opentelemetry.instrumentation.sqlalchemy"
_DURATION: Final = "db.client.operation.duration"
_BOUNDARIES: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)
_KNOWN_STATEMENTS: Final = 512
_LONGEST_KNOWN: Final = 4096
_SYSTEMS: Final[dict[str, str]] = {"mssql": "microsoft.sql_server", "oracle": "oracle.db"}
_CANCELLED: Final = (asyncio.CancelledError, GeneratorExit)
_ABORTED: Final = (SystemExit, KeyboardInterrupt)
_FOREIGN_CANCELLED: Final = frozenset({"Cancelled", "GreenletExit"})  # trio's, gevent's
_NO_EVENT: Final = "skip_user_error_events"  # SQLAlchemy's own probes: their failure would not be told


class _Statement(Struct, frozen=True):
    """The cursor is executing it."""

    span: Span
    facts: Facts
    started: float
    token: Token[Context]


def adopt(services: Services) -> Callable[[], None]:
    """Listen to every engine, and watch connects."""
    ours = _Statements(services)
    listeners: tuple[tuple[str, Callable[..., None]], ...] = (
        # Not `before_cursor_execute`: where another's listener there raises, 2.0 tells nobody of the end.
        ("do_execute", ours.before),
        ("do_executemany", ours.before_many),
        ("do_execute_no_params", ours.before_plain),
        ("after_cursor_execute", ours.after),
        ("handle_error", ours.failed),
    )
    for name, listener in listeners:
        event.listen(Engine, name, listener)
    place = find(Engine, "raw_connection")
    patch = wrap(place, _connects(services)) if place is not None else None

    def undo() -> None:
        for name, listener in listeners:
            event.remove(Engine, name, listener)
        if patch is not None:
            unwrap(patch)

    return undo


class _Statements:
    """The listeners. Those of the class run before an engine's own, so the driver's exception arrives untouched."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._known: dict[str, tuple[str, str]] = {}
        self._duration = services.meter.create_histogram(
            _DURATION, unit="s", explicit_bucket_boundaries_advisory=_BOUNDARIES
        )

    def before(self, _cursor: Any, statement: str, _parameters: Any, execution: Any) -> None:
        """A cursor is about to execute *statement*."""
        self._begin(statement, execution, None)

    def before_many(self, _cursor: Any, statement: str, parameters: Any, execution: Any) -> None:
        """It is about to execute *statement* for many rows."""
        self._begin(statement, execution, parameters)

    def before_plain(self, _cursor: Any, statement: str, execution: Any) -> None:
        """It is about to execute *statement*, which takes no parameters."""
        self._begin(statement, execution, None)

    def after(self, conn: Any, *_: Any) -> None:
        """It is executed."""
        with self._services.failsafe("sqlalchemy.after"):
            if (opened := conn.__dict__.pop(_OPEN, None)) is not None:
                context.detach(opened.token)
                self._measure(opened, Outcome("ok"))
                opened.span.end()

    def failed(self, told: Any) -> None:
        """It, or something before or after it, failed."""
        with self._services.failsafe("sqlalchemy.failed"):
            state = told.connection.__dict__ if told.connection is not None else {}
            if (opened := state.pop(_OPEN, None)) is not None:
                context.detach(opened.token)
                raised = told.original_exception
                outcome = _outcome(raised)
                if outcome.kind == "failed":
                    self._measure(opened, outcome)
                _end(self._services, opened.span, opened.facts, raised, outcome)

    def _begin(self, statement: str, execution: Any, rows: Any) -> None:
        with self._services.failsafe("sqlalchemy.before"):
            conn = getattr(execution, "root_connection", None)
            if conn is None or not _is_watched() or _is_theirs(conn):
                return
            if not conn.get_execution_options().get(_NO_EVENT):
                conn.__dict__[_OPEN] = self._start(conn.engine, statement, rows)

    def _start(self, engine: Engine, statement: str, rows: Any) -> _Statement:
        text, summary = self._described(statement)
        place = _place(engine)
        operation = {semconv.DB_OPERATION_NAME: summary.partition(" ")[0]}
        attributes: dict[str, Attribute] = {
            **place,
            **operation,
            semconv.DB_QUERY_TEXT: text,
            semconv.DB_QUERY_SUMMARY: summary,
            semconv.GUARD_CONTEXT: "database",
        }
        if isinstance(rows, list) and len(rows) > 1:
            attributes[semconv.DB_OPERATION_BATCH_SIZE] = len(rows)
        facts = Facts(summary, attributes, {**place, **operation})
        started = self._services.clock.monotonic()
        span = self._services.tracer.start_span(summary, kind=SpanKind.CLIENT, attributes=attributes)
        return _Statement(span, facts, started, _hide_driver(trace.set_span_in_context(span)))

    def _described(self, statement: str) -> tuple[str, str]:
        """Text and summary; SQLAlchemy's own cache makes the same statements again and again."""
        found = self._known.get(statement)
        if found is None:
            found = (sql.sanitize(statement), sql.summary(statement))
            if len(statement) <= _LONGEST_KNOWN:
                if len(self._known) >= _KNOWN_STATEMENTS:
                    self._known.clear()
                self._known[statement] = found
        return found

    def _measure(self, opened: _Statement, outcome: Outcome) -> None:
        attributes = dict(opened.facts.metric_attributes)
        if outcome.error_type is not None:
            attributes[semconv.ERROR_TYPE] = outcome.error_type
        self._duration.record(self._services.clock.monotonic() - opened.started, attributes)


def _connects(services: Services) -> Callable[..., Any]:
    """Watch `Engine.raw_connection`: no event tells a pool's time-out, and only the engine knows the server."""

    def watched(wrapped: Callable[..., Any], engine: Engine, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not _is_watched():
            return wrapped(*args, **kwargs)
        started_ns = services.clock.now_ms() * 1_000_000
        try:
            with _hidden_driver():
                return wrapped(*args, **kwargs)
        except Exception as raised:
            with services.failsafe("sqlalchemy.connect"):
                _connect_failed(services, engine, raised, started_ns)
            raise

    return watched


def _connect_failed(services: Services, engine: Engine, raised: Exception, started_ns: int) -> None:
    place = _place(engine)
    facts = Facts("connect", {**place, semconv.GUARD_CONTEXT: "database"}, place)
    outcome = _outcome(raised)
    if isinstance(raised, exc.TimeoutError):
        found = "quota"
    else:
        found = outcome.error_class if outcome.error_class not in {None, "unknown"} else "connection"
    outcome = Outcome(outcome.kind, outcome.error_type, found, outcome.attributes)
    span = services.tracer.start_span(
        facts.name, kind=SpanKind.CLIENT, attributes=dict(facts.attributes), start_time=started_ns
    )
    _end(services, span, facts, raised, outcome)


def _end(services: Services, span: Span, facts: Facts, raised: BaseException, outcome: Outcome) -> None:
    """End the span of a failure; no text of the database goes into it."""
    try:
        for key, value in outcome.attributes.items():
            span.set_attribute(key, value)
        if outcome.kind == "failed":
            span.set_attribute(semconv.ERROR_TYPE, outcome.error_type or "_OTHER")
            span.set_status(Status(StatusCode.ERROR, outcome.error_type))
            services.handover(span, raised, outcome, facts)
    finally:
        span.end()


def _outcome(raised: BaseException) -> Outcome:
    name = type(raised).__name__
    if isinstance(raised, _ABORTED):
        return Outcome("cancelled", name, "cancelled", {semconv.GUARD_OUTCOME: "aborted"})
    if isinstance(raised, _CANCELLED) or name in _FOREIGN_CANCELLED:
        return Outcome("cancelled", name, "cancelled", {semconv.GUARD_OUTCOME: "cancelled"})
    code = database_errors.code_of(raised)
    if code is None:
        return Outcome("failed", name, database_errors.error_class(name))
    return Outcome("failed", code, database_errors.error_class(code), {semconv.DB_RESPONSE_STATUS_CODE: code})


def _place(engine: Engine) -> Mapping[str, Attribute]:
    url, system = engine.url, engine.dialect.name
    host = url.host or url.query.get("host")
    found: dict[str, Attribute | None] = {
        semconv.DB_SYSTEM_NAME: _SYSTEMS.get(system, system),
        semconv.DB_NAMESPACE: url.database,
        semconv.SERVER_ADDRESS: host if isinstance(host, str) else None,
        semconv.SERVER_PORT: url.port,
    }
    return {key: value for key, value in found.items() if value is not None}


def _is_watched() -> bool:
    return not is_sending() and is_instrumentation_enabled()


def _is_theirs(conn: Any) -> bool:
    """Whether the application instrumented this engine itself."""
    listeners = conn.dispatch.before_cursor_execute
    return any(type(getattr(one, "__self__", None)).__module__.startswith(_THEIRS) for one in listeners)


def _hide_driver(current: Context) -> Token[Context]:
    return context.attach(context.set_value(KEYS[0], True, current))


@contextmanager
def _hidden_driver() -> Iterator[None]:
    token = _hide_driver(context.get_current())
    try:
        yield
    finally:
        context.detach(token)


SQLALCHEMY: Final = Instrumentation(
    name="sqlalchemy",
    requires="sqlalchemy >= 1.4",
    context="database",
    targets=(Adopt(module="sqlalchemy", adopt=adopt, needs=(("sqlalchemy", "Engine.raw_connection"),)),),
)
