"""What a process costs that does nothing: time to start, memory, threads, files, connections."""

import json
import os
import sys
import threading
import time
from pathlib import Path

SETTLED_S = 8.0  # the first health row and the process's row are written by then


def nothing() -> dict[str, float]:
    """A bare interpreter."""
    return _found(0.0)


def sdk() -> dict[str, float]:
    """OpenTelemetry's SDK with OTLP over HTTP, traces and metrics."""
    begun = time.perf_counter()
    from opentelemetry import metrics, trace
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())]))
    return _found(time.perf_counter() - begun)


def guard() -> dict[str, float]:
    """The guard with the same exporters, and its Postgres."""
    for name in ("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER"):
        os.environ.pop(name, None)
    begun = time.perf_counter()
    import otel_guard

    otel_guard.configure()
    took = time.perf_counter() - begun
    time.sleep(SETTLED_S)  # noqa: TID251 - idle is what is measured
    return _found(took) | {"connections": _connections()}


def _found(took_s: float) -> dict[str, float]:
    ours = [thread.name for thread in threading.enumerate() if thread.name.startswith("otel-guard")]
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "start_ms": took_s * 1000,
        "rss_mb": pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        "threads": threading.active_count(),
        "our_threads": len(ours),
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "connections": 0,
    }


def _connections() -> int:
    import psycopg

    with psycopg.connect(os.environ["OTEL_GUARD_DSN"], autocommit=True) as database:
        row = database.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'otel_guard'").fetchone()
    return int(row[0]) if row else 0


if __name__ == "__main__":
    print(json.dumps({"nothing": nothing, "sdk": sdk, "guard": guard}[sys.argv[1]]()))
    sys.stdout.flush()
