"""Contrib's instrumentors of database drivers, started on spans of ours."""

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from msgspec import structs

from otel_guard.instrumentation._engine import instrumentor
from otel_guard.instrumentation._engine_driver_spans import Driver, DriverSpans, Statements, text_of
from otel_guard.instrumentation._engine_patch import find, unwrap, wrap
from otel_guard.instrumentation._engine_services import Services


def adopted(module: str, name: str, driver: Driver, services: Services) -> Callable[[], None] | None:
    """Start an instrumentor of contrib's on spans of this file; None: the application started it itself."""
    spans = DriverSpans(services, driver)
    undo = instrumentor(module, name)(structs.replace(services, tracer_provider=spans))
    return all_of([undo, spans.stop]) if undo is not None else None


def all_of(undoings: Iterable[Callable[[], object] | None]) -> Callable[[], None]:
    """Undo in the opposite order."""
    found = [undo for undo in undoings if undo is not None]

    def undo() -> None:
        while found:
            found.pop()()

    return undo


def named(module: str, driver: Driver, services: Services) -> Callable[[], None]:
    """Give contrib's metrics of *module* our names of operations: its own is the first word, which may hold a value."""
    place = find(import_module(module), "CursorTracer.get_operation_name")
    statements = Statements(driver)

    def operation(_wrapped: Any, tracer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        try:
            return statements(text_of(tracer.get_statement(*args, **kwargs))).operation
        except Exception as fault:
            if not services.failsafe.swallow(f"{driver.name}.operation", fault):
                raise
            return ""

    patch = wrap(place, operation) if place is not None else None

    def undo() -> None:
        if patch is not None:
            unwrap(patch)

    return undo
