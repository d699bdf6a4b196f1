"""What is scraped has the names and labels that rules and dashboards are written against."""

import re
from pathlib import Path
from typing import Any, Final

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_guard.demo.collector import RunningCollector
from tests.integration.collector.conftest import Sink, Start, scrape, send, span, total, traces, until

GOLDEN: Final = (Path(__file__).parent / "scraped.txt").read_text().split()
LOSSES: Final = ("otelcol_exporter_send_failed_spans_total", "otelcol_exporter_enqueue_failed_spans_total")
FULL: Final = {
    "exporters": {"otlp_http/upstream": {"sending_queue": {"queue_size": 10, "batch": {"min_size": 1, "max_size": 1}}}}
}
CLIENT: Final = Span.SPAN_KIND_CLIENT


def _charge(**more: Any) -> Span:
    return span(
        "charge", {"payment.provider.name": "stripe", "error.type": "card_declined"}, kind=CLIENT, error="no", **more
    )


def _labels(text: str, name: str) -> list[dict[str, str]]:
    return [dict(re.findall(r'(\w+)="([^"]*)"', line)) for line in re.findall(rf"^{name}{{(.*)}} ", text, re.MULTILINE)]


def _both(running: RunningCollector) -> str:
    return scrape(running.prometheus_port) + scrape(running.telemetry_port)


def test_the_names_are_the_golden_ones_and_losses_are_born_with_the_first_loss(start: Start, sink: Sink) -> None:
    env = {"OTEL_GUARD_TRACES_TO": "[otlp_http/upstream]", "OTEL_GUARD_UPSTREAM_ENDPOINT": sink.url}
    running = start(FULL, **env, OTEL_GUARD_METRICS_TO="[prometheus]")
    send(running.otlp_port, "traces", traces([_charge()]))
    until(sink.spans, "the first span")
    until(lambda: "traces_span_metrics_calls_total" in scrape(running.prometheus_port), "the metrics")
    healthy = _both(running)
    sink.status = 400  # a refusal for good
    send(running.otlp_port, "traces", traces([_charge()]))
    until(lambda: total(_both(running), LOSSES[0]) == 1, "send_failed")
    sink.status = 503
    send(running.otlp_port, "traces", traces([_charge() for _ in range(200)]))
    until(lambda: total(_both(running), LOSSES[1]) > 0, "enqueue_failed")
    text = _both(running)

    assert [name for name in GOLDEN if not re.search(rf"^{name}[ {{]", text, re.MULTILINE)] == []
    assert [name for name in GOLDEN if not re.search(rf"^{name}[ {{]", healthy, re.MULTILINE)] == sorted(LOSSES)


def test_a_call_has_exactly_these_labels(start: Start) -> None:
    running = start(OTEL_GUARD_TRACES_TO="[debug]")
    more = {"deployment.environment.name": "prod", "host.name": "web-1", "service.instance.id": "i-1"}
    send(running.otlp_port, "traces", traces([_charge()], more))
    until(lambda: "traces_span_metrics_calls_total" in scrape(running.prometheus_port), "the metrics")

    assert _labels(scrape(running.prometheus_port), "traces_span_metrics_calls_total") == [
        {
            "job": "ns/shop",
            "service_name": "shop",
            "span_name": "charge",
            "span_kind": "SPAN_KIND_CLIENT",
            "status_code": "STATUS_CODE_ERROR",
            "otel_guard_context": "payment",
            "payment_provider_name": "stripe",
            "error_type": "card_declined",
            "deployment_environment_name": "prod",
        }
    ]


def test_unsampled_calls_are_measured_too(start: Start) -> None:
    running = start(OTEL_GUARD_TRACES_TO="[debug]", OTEL_GUARD_KEEP_PERCENT="0")
    send(running.otlp_port, "traces", traces([span("fine") for _ in range(50)]))

    until(lambda: total(scrape(running.prometheus_port), "traces_span_metrics_calls_total") == 50, "50 calls")


def test_series_have_a_limit_and_the_rest_is_one_series(start: Start) -> None:
    running = start(
        {"connectors": {"span_metrics": {"aggregation_cardinality_limit": 10}}}, OTEL_GUARD_TRACES_TO="[debug]"
    )
    send(running.otlp_port, "traces", traces([span(f"name {number}") for number in range(100)]))
    until(lambda: total(scrape(running.prometheus_port), "traces_span_metrics_calls_total") == 100, "100 calls")

    labels = _labels(scrape(running.prometheus_port), "traces_span_metrics_calls_total")
    assert len(labels) <= 11
    assert [each for each in labels if "otel_metric_overflow" in each] == [
        {"job": "ns/shop", "otel_metric_overflow": "true"}
    ]


def test_exemplars_lead_to_the_trace(start: Start) -> None:
    running = start(OTEL_GUARD_TRACES_TO="[debug]", OTEL_GUARD_KEEP_PERCENT="100")
    one = _charge()
    send(running.otlp_port, "traces", traces([one]))

    until(lambda: one.trace_id.hex() in scrape(running.prometheus_port, "application/openmetrics-text"), "its exemplar")
