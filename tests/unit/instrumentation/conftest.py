"""An engine on a real SDK in memory, and what it handed over."""

import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Span

from otel_guard.core.outcome import Facts, Outcome
from otel_guard.instrumentation._engine import Engine
from otel_guard.runtime.failsafe import Failsafe
from tests.unit.instrumentation.library import LIBRARY, Client

Handed = tuple[Span, BaseException | None, Outcome, Facts]


class World:
    """One engine and all that came of it."""

    def __init__(self, *, strict: bool = True, **options: Any) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meters = MeterProvider(metric_readers=[self._reader])
        self.handed: list[Handed] = []
        self.unhandled: list[tuple[BaseException, str | None, str | None]] = []
        self.users: list[str] = []
        self.failsafe = Failsafe(strict=strict)
        given: dict[str, Any] = {
            "handover": lambda *handed: self.handed.append(handed),
            "unhandled": self._unhandled,
            "user": self.users.append,
            "tracer_provider": self.provider,
            "meter_provider": self.meters,
        }
        tracer = options.pop("tracer", None) or self.provider.get_tracer("otel_guard")
        self.engine = Engine(
            tracer,
            self.meters.get_meter("otel_guard"),
            self.failsafe,
            **(given | options),
        )

    def spans(self) -> list[ReadableSpan]:
        """The finished spans, first ended first."""
        return list(self._exporter.get_finished_spans())

    def span(self) -> ReadableSpan:
        """The only finished span."""
        (span,) = self.spans()
        return span

    def points(self, name: str) -> list[Any]:
        """The data points of a metric."""
        data = self._reader.get_metrics_data()
        metrics = [
            metric
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]
        return [point for metric in metrics if metric.name == name for point in metric.data.data_points]

    def close(self) -> None:
        """Put everything back."""
        self.engine.uninstrument()
        self.provider.shutdown()
        self.meters.shutdown()

    def _unhandled(self, exc: BaseException, *, route: str | None, user_id: str | None) -> None:
        self.unhandled.append((exc, route, user_id))


MakeWorld = Callable[..., World]


@pytest.fixture
def make_world() -> Iterator[MakeWorld]:
    """Make worlds that are closed after the test."""
    made: list[World] = []

    def make(**options: Any) -> World:
        made.append(World(**options))
        return made[-1]

    yield make
    for world in reversed(made):
        world.close()


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """A world whose own faults raise."""
    return make_world()


@pytest.fixture
def client() -> Iterator[Any]:
    """An instance of a class that is new in each test, in a module that is loaded."""
    module = ModuleType(LIBRARY)
    kind = type("Client", (Client,), dict(vars(Client)))
    module.Client = kind  # type: ignore[attr-defined]
    sys.modules[LIBRARY] = module
    yield kind()
    del sys.modules[LIBRARY]
