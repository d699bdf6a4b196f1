"""What was queued survives SIGKILL while the backend is down; what did not fit is counted."""

from typing import Final

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_guard.demo.collector import RunningCollector
from otel_guard.runtime.clock import SYSTEM
from tests.integration.collector.conftest import Sink, Start, scrape, send, span, total, traces, until, warnings

SENT: Final = 3000
FITS: Final = 2000
# One queue of 2,000 spans in batches of 100, retried often: the same shape as the default, in seconds.
SMALL: Final = {
    "exporters": {
        "otlp_http/upstream": {
            "sending_queue": {"queue_size": FITS, "batch": {"min_size": 100, "max_size": 100}},
            "retry_on_failure": {"initial_interval": "100ms", "max_interval": "500ms"},
        }
    }
}


def _own(running: RunningCollector, name: str) -> float:
    return total(scrape(running.telemetry_port), name)


def test_every_queued_span_arrives_after_sigkill_and_the_excess_is_counted(start: Start, sink: Sink) -> None:
    sink.status = 503
    env = {"OTEL_GUARD_TRACES_TO": "[otlp_http/upstream]", "OTEL_GUARD_UPSTREAM_ENDPOINT": sink.url}
    first = start(SMALL, **env, OTEL_GUARD_KEEP_PERCENT="100")
    ids = {each.span_id for each in _send(first)}
    lost, held = "otelcol_exporter_enqueue_failed_spans_total", "otelcol_exporter_queue_size"
    until(lambda: _own(first, lost) > 0, "the queue is full")
    until(lambda: _judged(first) == SENT, "all are judged")
    scraped = scrape(first.prometheus_port)
    until(lambda: _is_still(first, lost), "nothing more is refused")
    excess, queued = _own(first, lost), _own(first, held)
    first.kill()

    sink.status = 200
    second = start(SMALL, **env)
    until(lambda: len({each.span_id for each in sink.spans()}) >= SENT - excess, "all that was queued")
    second.stop()

    arrived = {each.span_id for each in sink.spans()}
    assert (excess > 0, queued > 0) == (True, True)
    assert len(arrived) == SENT - excess
    assert arrived <= ids
    assert "traces_span_metrics_calls_total" in scraped
    assert [line["msg"] for line in warnings(second.log_path)] == []


def test_an_outage_loses_nothing_and_raises_no_loss_counter(start: Start, sink: Sink) -> None:
    sink.status = 503
    env = {"OTEL_GUARD_TRACES_TO": "[otlp_http/upstream]", "OTEL_GUARD_UPSTREAM_ENDPOINT": sink.url}
    retries = {"exporters": {"otlp_http/upstream": {"retry_on_failure": {"initial_interval": "100ms"}}}}
    running = start(retries, **env, OTEL_GUARD_KEEP_PERCENT="100")
    send(running.otlp_port, "traces", traces([span("waits")]))
    until(lambda: _own(running, "otelcol_exporter_queue_size") > 0, "it waits")

    sink.status = 200

    until(lambda: [each.name for each in sink.spans()] == ["waits"], "it arrives")
    assert _own(running, "otelcol_exporter_send_failed_spans_total") == 0


def _send(running: RunningCollector) -> list[Span]:
    every = [span("queued") for _ in range(SENT)]
    for at in range(0, SENT, 500):
        assert send(running.otlp_port, "traces", traces(every[at : at + 500])) == 200
    return every


def _is_still(running: RunningCollector, name: str) -> bool:
    before = _own(running, name)
    SYSTEM.sleep(0.3)
    return _own(running, name) == before


def _judged(running: RunningCollector) -> float:
    return _own(running, "otelcol_processor_tail_sampling_global_count_traces_sampled_total")
