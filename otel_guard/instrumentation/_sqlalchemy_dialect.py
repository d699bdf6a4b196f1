"""The calls of a dialect into its driver: a statement is one span, a commit one where it fails, a rollback none."""

from collections.abc import Callable
from contextvars import Token
from typing import Any, Final
from weakref import WeakSet

from msgspec import Struct
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind

from otel_guard.core import semconv
from otel_guard.core.outcome import Attribute, Facts
from otel_guard.instrumentation import _engine_database as database
from otel_guard.instrumentation import _sqlalchemy_ends as ends
from otel_guard.instrumentation._engine import Services
from otel_guard.instrumentation._sqlalchemy_server import Server, forget, keep, known, server_of

_DURATION: Final = "db.client.operation.duration"
_BOUNDARIES: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)
_NO_EVENT: Final = "skip_user_error_events"  # SQLAlchemy's own probes: their failure is no error
_METHODS: Final = ("do_execute", "do_executemany", "do_execute_no_params", "do_commit", "do_rollback")
_OURS: Final = "_otel_guard"  # in the `__dict__` of a wrapper


class _Wrapped(Struct, frozen=True):
    """Whose wrapper it is, and what the dialect itself, not its class, had there."""

    owner: object
    before: Any


class _Open(Struct, frozen=True):
    """The driver is executing it."""

    span: Span
    facts: Facts
    started: float
    token: Token[Context]


class Dialects:
    """Every dialect that was seen, with its methods wrapped.

    Wrapped where the driver is called, unlike in events, nothing can be left open: not by a listener that raises or
    runs a statement of its own, not by an error of which SQLAlchemy tells nobody.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._is_on = True
        self._seen: WeakSet[Any] = WeakSet()
        self._duration = services.meter.create_histogram(
            _DURATION, unit="s", explicit_bucket_boundaries_advisory=_BOUNDARIES
        )

    def server(self, engine: Any) -> Server:
        """The server of *engine*; its dialect is watched from the first time on."""
        dialect = engine.dialect
        found = known(dialect)
        if found is None:
            made = server_of(engine)
            found = keep(dialect, made)
            if found is made and self._is_on:
                self._watch(dialect, made)
        return found

    def undo(self) -> None:
        """Put back what nobody wrapped since; where somebody did, ours passes calls through."""
        self._is_on = False
        for dialect in list(self._seen):
            forget(dialect)
            for name in _METHODS:
                wrapped = getattr(dialect.__dict__.get(name), _OURS, None)
                if not isinstance(wrapped, _Wrapped) or wrapped.owner is not self:
                    continue
                if wrapped.before is None:
                    del dialect.__dict__[name]
                else:
                    dialect.__dict__[name] = wrapped.before

    def _watch(self, dialect: Any, server: Server) -> None:
        self._seen.add(dialect)
        makers = (self._execute, self._execute_many, self._execute_plain, self._commit, self._rollback)
        for name, make in zip(_METHODS, makers, strict=True):
            if callable(original := getattr(dialect, name, None)):
                ours = make(server, original)
                setattr(ours, _OURS, _Wrapped(self, dialect.__dict__.get(name)))
                dialect.__dict__[name] = ours

    def _execute(self, server: Server, original: Callable[..., Any]) -> Callable[..., Any]:
        def do_execute(cursor: Any, statement: str, parameters: Any, execution: Any = None) -> Any:
            return self._run(server, original, (cursor, statement, parameters, execution), None)

        return do_execute

    def _execute_many(self, server: Server, original: Callable[..., Any]) -> Callable[..., Any]:
        def do_executemany(cursor: Any, statement: str, parameters: Any, execution: Any = None) -> Any:
            return self._run(server, original, (cursor, statement, parameters, execution), parameters)

        return do_executemany

    def _execute_plain(self, server: Server, original: Callable[..., Any]) -> Callable[..., Any]:
        def do_execute_no_params(cursor: Any, statement: str, execution: Any = None) -> Any:
            return self._run(server, original, (cursor, statement, execution), None)

        return do_execute_no_params

    def _run(self, server: Server, original: Callable[..., Any], args: tuple[Any, ...], rows: Any) -> Any:
        try:
            opened = self._begin(server, args[1], args[-1], rows)
        except BaseException as fault:
            if not self._services.failsafe.swallow("sqlalchemy.begin", fault):
                raise
            opened = None
        if opened is None:
            return _hidden(original, args) if self._is_theirs(args[-1]) else original(*args)
        try:
            value = original(*args)
        except BaseException as raised:
            context.detach(opened.token)
            self._failed(opened, raised)
            raise
        context.detach(opened.token)
        try:
            self._duration.record(self._services.clock.monotonic() - opened.started, opened.facts.metric_attributes)
            opened.span.end()
        except BaseException as fault:
            if not self._services.failsafe.swallow("sqlalchemy.end", fault):
                raise
        return value

    def _is_theirs(self, execution: Any) -> bool:
        """Whether the application's own instrumentation speaks for this call: its driver stays silent too."""
        with self._services.failsafe("sqlalchemy.theirs"):
            conn = getattr(execution, "root_connection", None)
            return self._is_on and database.is_watched() and conn is not None and ends.is_theirs(conn)
        return False

    def _begin(self, server: Server, statement: str, execution: Any, rows: Any) -> _Open | None:
        conn = getattr(execution, "root_connection", None)
        if conn is None or not self._is_on or not database.is_watched() or ends.is_theirs(conn):
            return None
        if _NO_EVENT in (options := conn.get_execution_options()) and options[_NO_EVENT]:
            return None
        facts = server.described(statement)
        attributes: dict[str, Attribute] = facts.attributes  # type: ignore[assignment]
        if isinstance(rows, list | tuple) and len(rows) > 1:
            attributes = {**attributes, semconv.DB_OPERATION_BATCH_SIZE: len(rows)}
            facts = Facts(facts.name, attributes, facts.metric_attributes)
        current = context.get_current()
        started = self._services.clock.monotonic()
        span = self._services.tracer.start_span(facts.name, current, SpanKind.CLIENT, attributes)
        return _Open(span, facts, started, ends.hide_driver(trace.set_span_in_context(span, current)))

    def _failed(self, opened: _Open, raised: BaseException) -> None:
        with self._services.failsafe("sqlalchemy.failed"):
            outcome = database.outcome_of(raised)
            if outcome.kind == "failed":
                attributes = {**opened.facts.metric_attributes, semconv.ERROR_TYPE: outcome.error_type or "_OTHER"}
                self._duration.record(self._services.clock.monotonic() - opened.started, attributes)
            database.end(self._services, opened.span, opened.facts, raised, outcome)

    def _commit(self, server: Server, original: Callable[..., Any]) -> Callable[..., Any]:
        facts = server.named("COMMIT")

        def do_commit(*args: Any) -> Any:
            if not self._is_on or not database.is_watched():
                return original(*args)
            started_ns = self._services.clock.now_ms() * 1_000_000
            try:
                return _hidden(original, args)
            except Exception as raised:
                with self._services.failsafe("sqlalchemy.commit"):
                    database.on_error(self._services, facts, raised, database.outcome_of(raised), started_ns)
                raise

        return do_commit

    def _rollback(self, _server: Server, original: Callable[..., Any]) -> Callable[..., Any]:
        """Silent: what made it necessary is told already."""

        def do_rollback(*args: Any) -> Any:
            return _hidden(original, args) if self._is_on and database.is_watched() else original(*args)

        return do_rollback


def _hidden(original: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    token = ends.hide_driver(context.get_current())
    try:
        return original(*args)
    finally:
        context.detach(token)
