"""Where the doctor's own Collector would be: it reads the spans and metrics that really arrive."""

import threading
from collections import Counter
from typing import Final

from msgspec import Struct
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_guard.demo.standins._http import Request, Response, serve

ERROR: Final = 2  # OTLP's status code
_ANSWER: Final = Response(200, b"", {"Content-Type": "application/x-protobuf"})
_HTTP: Final = frozenset({"http.request.method", "http.method"})  # the old name and the new


class Arrived(Struct, frozen=True, kw_only=True):
    """One span that arrived."""

    name: str
    kind: str  # CLIENT, SERVER …
    scope: str
    id: str
    parent: str
    is_error: bool
    is_http: bool


class Receiver:
    """`spans` in the order of their arrival; `points` counts the measurements of each metric."""

    def __init__(self) -> None:
        self.spans: list[Arrived] = []
        self.points: Counter[str] = Counter()
        self._lock = threading.Lock()  # guards both
        self._running = serve(self._answer)
        self.url = self._running.url

    def stop(self) -> None:
        """Take no more."""
        self._running.stop()

    def _answer(self, request: Request) -> Response:
        with self._lock:
            if request.path.endswith("/traces"):
                self.spans += _spans(ExportTraceServiceRequest.FromString(request.body))
            elif request.path.endswith("/metrics"):
                self.points = _points(ExportMetricsServiceRequest.FromString(request.body)) | self.points
        return _ANSWER


def _spans(message: ExportTraceServiceRequest) -> list[Arrived]:
    scopes = (scope for resource in message.resource_spans for scope in resource.scope_spans)
    return [
        Arrived(
            name=span.name,
            kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
            scope=scope.scope.name,
            id=span.span_id.hex(),
            parent=span.parent_span_id.hex(),
            is_error=span.status.code == ERROR,
            is_http=any(attribute.key in _HTTP for attribute in span.attributes),
        )
        for scope in scopes
        for span in scope.spans
    ]


def _points(message: ExportMetricsServiceRequest) -> Counter[str]:
    scopes = (scope for resource in message.resource_metrics for scope in resource.scope_metrics)
    found: Counter[str] = Counter()
    for scope in scopes:
        for metric in scope.metrics:
            found[metric.name] += _count(metric)
    return found


def _count(metric: Metric) -> int:
    return sum(int(point.count) for point in metric.histogram.data_points)
