"""A counter of traces over OTLP/HTTP, for where no Collector can be had: it keeps trace ids only."""

import threading
from pathlib import Path
from typing import Final

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_guard.demo.standins._http import Request, Response, as_json, serve

SIGNALS: Final = ("/v1/traces", "/v1/metrics", "/v1/logs")
_EMPTY: Final = Response(200, b"", {"Content-Type": "application/x-protobuf"})


class Counter:
    """`spans` counts; `traces` has the ids, which also go to *record*, one a line."""

    def __init__(self, record: Path | None = None) -> None:
        self.traces: set[str] = set()
        self.spans = 0
        self._record = record
        self._lock = threading.Lock()
        self._running = serve(self._answer)
        self.port = self._running.port
        self.url = self._running.url

    def stop(self) -> None:
        """Take no more requests."""
        self._running.stop()

    def _answer(self, request: Request) -> Response:
        if request.method != "POST" or request.path not in SIGNALS:
            return as_json(404, {"message": "not found"})
        if request.path == SIGNALS[0]:
            try:
                self._count(ExportTraceServiceRequest.FromString(request.body))
            except DecodeError as error:
                return as_json(400, {"message": f"no OTLP: {error}"})
        return _EMPTY

    def _count(self, message: ExportTraceServiceRequest) -> None:
        groups = (scope.spans for resource in message.resource_spans for scope in resource.scope_spans)
        ids = [span.trace_id.hex() for spans in groups for span in spans]
        with self._lock:
            new = sorted(set(ids) - self.traces)
            self.spans += len(ids)
            self.traces.update(new)
            if self._record is not None and new:
                with self._record.open("a") as lines:
                    lines.writelines(f"{trace_id}\n" for trace_id in new)


def start(record: Path | None = None) -> Counter:
    """Start it on a free port; its `url` is what `OTEL_EXPORTER_OTLP_ENDPOINT` takes."""
    return Counter(record)
