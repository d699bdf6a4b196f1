"""One provider for every variant that makes spans, with or without the guard on top."""

from collections.abc import Sequence

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

QUEUE = 500_000  # so many that none is dropped: each span is exported, and redacted where the guard is


class Counting(SpanExporter):
    """Sends nothing, counts."""

    def __init__(self) -> None:
        self.count = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.count += len(spans)
        return SpanExportResult.SUCCESS


class Spans:
    """An application's own OpenTelemetry: traces through a batch processor, metrics without a reader."""

    def __init__(self) -> None:
        self._exporter = Counting()
        self._provider = TracerProvider()
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter, max_queue_size=QUEUE))
        trace.set_tracer_provider(self._provider)
        metrics.set_meter_provider(MeterProvider())

    def flush(self) -> None:
        self._provider.force_flush(60_000)

    def at_least(self, spans: int) -> None:
        """Raise if fewer than *spans* were exported."""
        if self._exporter.count < spans:
            raise RuntimeError(f"{spans} spans were expected, {self._exporter.count} were exported")
