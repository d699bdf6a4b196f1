from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from otel_guard.capture.derived_metrics import ANTHROPIC, DURATION, MAX_MODELS, DerivedMetrics
from otel_guard.core import semconv
from otel_guard.core.classify import Call

CHAT = {semconv.GEN_AI_OPERATION_NAME: "chat", semconv.GEN_AI_PROVIDER_NAME: "anthropic"}


def call(outcome: str = "ok") -> Call:
    return Call(
        kind="CLIENT",
        context="ai",
        system="anthropic",
        operation="chat",
        outcome=outcome,
        error_class=None,
        duration_ms=250,
        ended_ms=1,
        route=None,
        name=DURATION,
    )


class Metrics:
    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self._provider = MeterProvider(metric_readers=[self._reader])
        self.derived = DerivedMetrics(self._provider.get_meter("x"))

    def points(self) -> list[Any]:
        data = self._reader.get_metrics_data()
        found = [point for each in (data.resource_metrics if data else ()) for point in each.scope_metrics[0].metrics]
        self._provider.shutdown()
        return [point for metric in found if metric.name == DURATION for point in metric.data.data_points]


def test_calls_of_others_are_theirs_to_count() -> None:
    metrics = Metrics()

    metrics.derived.ended("opentelemetry.instrumentation.genai.openai", call(), CHAT)
    metrics.derived.ended(ANTHROPIC, call(), {semconv.GEN_AI_PROVIDER_NAME: "anthropic"})

    assert metrics.points() == []


def test_a_platforms_client_is_counted_too_and_a_failure_has_its_type() -> None:
    metrics = Metrics()

    metrics.derived.ended(f"{ANTHROPIC}.bedrock", call("failed"), CHAT | {semconv.ERROR_TYPE: "api_error"})

    (point,) = metrics.points()
    assert (point.sum, dict(point.attributes)) == (0.25, CHAT | {semconv.ERROR_TYPE: "api_error"})


def test_the_number_of_models_is_bounded() -> None:
    metrics = Metrics()

    for number in range(MAX_MODELS + 10):
        metrics.derived.ended(ANTHROPIC, call(), CHAT | {semconv.GEN_AI_REQUEST_MODEL: f"m{number}"})

    assert len(metrics.points()) == MAX_MODELS + 1
