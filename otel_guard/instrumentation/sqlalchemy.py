"""SQLAlchemy: one span a statement, of every engine, and failed connects and commits (instrumentation.md, section 4)."""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import event, exc
from sqlalchemy.engine import Engine

from otel_guard.core.outcome import Outcome
from otel_guard.instrumentation import _engine_database as database
from otel_guard.instrumentation import _sqlalchemy_ends as ends
from otel_guard.instrumentation._engine import Adopt, Instrumentation, Services, find, unwrap, wrap
from otel_guard.instrumentation._sqlalchemy_dialect import Dialects
from otel_guard.instrumentation._sqlalchemy_server import known

_WAIT_TIME: Final = "db.client.connection.wait_time"
_TIMEOUTS: Final = "db.client.connection.timeouts"


def adopt(services: Services) -> Callable[[], None]:
    """Watch the dialect of every engine that connects or executes, and the connects themselves."""
    dialects = Dialects(services)

    def first_seen(*args: Any) -> None:
        try:
            if known(args[-1].dialect) is None:
                dialects.server(args[-1].root_connection.engine)
        except BaseException as fault:
            if not services.failsafe.swallow("sqlalchemy.first_seen", fault):
                raise

    def failed(told: Any) -> None:
        with services.failsafe("sqlalchemy.failed"):
            _fetch_failed(services, dialects, told)

    # Connections that were open before have their dialect watched by the first listener.
    listeners: tuple[tuple[str, Callable[..., None]], ...] = (
        ("do_execute", first_seen),
        ("do_executemany", first_seen),
        ("do_execute_no_params", first_seen),
        ("handle_error", failed),
    )
    for name, listener in listeners:
        event.listen(Engine, name, listener)
    place = find(Engine, "raw_connection")
    patch = wrap(place, _connects(services, dialects)) if place is not None else None

    def undo() -> None:
        for name, listener in listeners:
            event.remove(Engine, name, listener)
        if patch is not None:
            unwrap(patch)
        dialects.undo()

    return undo


def _connects(services: Services, dialects: Dialects) -> Callable[..., Any]:
    """Watch `Engine.raw_connection`: no event tells a pool's time-out, and only the engine knows the server."""
    wait_time = services.meter.create_histogram(_WAIT_TIME, unit="s")
    timeouts = services.meter.create_counter(_TIMEOUTS, unit="{timeout}")

    def watched(wrapped: Callable[..., Any], engine: Engine, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not database.is_watched():
            return wrapped(*args, **kwargs)
        started, started_ns = services.clock.monotonic(), services.clock.now_ms() * 1_000_000
        with services.failsafe("sqlalchemy.server"):
            dialects.server(engine)
        try:
            with ends.hidden_driver():
                value = wrapped(*args, **kwargs)
        except Exception as raised:
            with services.failsafe("sqlalchemy.connect"):
                if isinstance(raised, exc.TimeoutError):
                    timeouts.add(1, dialects.server(engine).pool)
                _connect_failed(services, dialects, engine, raised, started_ns)
            raise
        with services.failsafe("sqlalchemy.connected"):
            wait_time.record(services.clock.monotonic() - started, dialects.server(engine).pool)
        return value

    return watched


def _connect_failed(services: Services, dialects: Dialects, engine: Engine, raised: Exception, started_ns: int) -> None:
    outcome = database.outcome_of_connect(raised)
    if isinstance(raised, exc.TimeoutError):
        outcome = Outcome("failed", outcome.error_type, "quota")
    database.on_error(services, dialects.server(engine).plain("connect"), raised, outcome, started_ns)


def _fetch_failed(services: Services, dialects: Dialects, told: Any) -> None:
    """Rows may fail after their statement went well: SQLAlchemy then names no statement, only its execution."""
    execution, conn = told.execution_context, told.connection
    if told.statement is not None or execution is None or conn is None:
        return
    statement = getattr(execution, "statement", None)
    if isinstance(statement, str) and database.is_watched() and not ends.is_theirs(conn):
        facts = dialects.server(conn.engine).described(statement)
        database.on_error(services, facts, told.original_exception, database.outcome_of(told.original_exception))


SQLALCHEMY: Final = Instrumentation(
    name="sqlalchemy",
    requires="sqlalchemy >= 1.4",
    context="database",
    targets=(Adopt(module="sqlalchemy", adopt=adopt, needs=(("sqlalchemy.engine", "Engine.raw_connection"),)),),
)
