"""The tracer and meter providers: the application's own if it set them, else ones with OTLP over HTTP."""

import logging
import os
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct
from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otel_guard.capture.exporters import RedactingSpanExporter, wrap_exporters
from otel_guard.capture.exporters_scan import Redacts
from otel_guard.capture.sampler import KeepErrorsSampler
from otel_guard.runtime.clock import Clock
from otel_guard.settings.identity import Identity

DEFAULT_ENDPOINT: Final = "http://localhost:4318"
SAY_EACH_S: Final = 60.0
_VARIABLES: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")
_LOGGERS: Final = (
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.exporter.otlp.proto.http.metric_exporter",
    "opentelemetry.exporter.http.transport",
    "opentelemetry.sdk._shared_internal",
    "opentelemetry.sdk.metrics._internal.export",
)


class Tracing(Struct, frozen=True):
    """The provider that the guard listens to, and what it could not reach."""

    provider: TracerProvider
    is_adopted: bool
    unredacted: tuple[str, ...]


def set_up(identity: Identity, redactor: Redacts, environ: Mapping[str, str]) -> Tracing:
    """Adopt the application's SDK provider, else build providers that export to the Collector."""
    current = trace.get_tracer_provider()
    if isinstance(current, TracerProvider):
        current.sampler = _keeping(current.sampler)
        return Tracing(current, is_adopted=True, unredacted=tuple(wrap_exporters(current, redactor)))
    resource = _resource(identity)
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.sampler = _keeping(provider.sampler)
    if environ.get("OTEL_TRACES_EXPORTER", "otlp") != "none":
        provider.add_span_processor(BatchSpanProcessor(RedactingSpanExporter(OTLPSpanExporter(), redactor)))
    trace.set_tracer_provider(provider)
    if not isinstance(metrics.get_meter_provider(), MeterProvider):
        wanted = environ.get("OTEL_METRICS_EXPORTER", "otlp") != "none"
        readers = [PeriodicExportingMetricReader(OTLPMetricExporter())] if wanted else []
        metrics.set_meter_provider(MeterProvider(metric_readers=readers, resource=resource, shutdown_on_exit=False))
    return Tracing(provider, is_adopted=False, unredacted=())


def shut_down(tracing: Tracing, timeout_s: float) -> None:
    """Send what waits, for at most *timeout_s*; an adopted provider is its owner's to end."""
    if tracing.is_adopted:
        return
    tracing.provider.force_flush(int(timeout_s * 1000))
    tracing.provider.shutdown()
    meters = metrics.get_meter_provider()
    if isinstance(meters, MeterProvider):
        meters.shutdown(timeout_s * 1000)


def endpoints(environ: Mapping[str, str]) -> frozenset[tuple[str, int]]:
    """Host and port of every OTLP endpoint: our own traffic."""
    urls = [environ.get(name) for name in _VARIABLES]
    urls.append(environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or DEFAULT_ENDPOINT)
    return frozenset(filter(None, map(peer, filter(None, urls))))


def peer(url: str) -> tuple[str, int] | None:
    """Host and port of *url*; None for what is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname else None


class QuietExporters:
    """One line a minute when the Collector is away, instead of OTel's many."""

    def __init__(self, say: Callable[[str], None], clock: Clock) -> None:
        self._say = say
        self._clock = clock
        self._said_at: float | None = None

    def install(self) -> None:
        """Filter the exporters' loggers."""
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(self._filter)

    def uninstall(self) -> None:
        """Let them speak again."""
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(self._filter)

    def _filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        now = self._clock.monotonic()
        if self._said_at is None or now - self._said_at >= SAY_EACH_S:
            self._said_at = now
            where = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or DEFAULT_ENDPOINT
            self._say(
                f"spans and metrics do not reach the Collector at {where}; errors are kept all the same: start it, "
                "correct OTEL_EXPORTER_OTLP_ENDPOINT, or set OTEL_TRACES_EXPORTER=none and OTEL_METRICS_EXPORTER=none"
            )
        return False


def _keeping(sampler: Any) -> Any:
    return sampler if isinstance(sampler, KeepErrorsSampler) else KeepErrorsSampler(sampler)


def _resource(identity: Identity) -> Resource:
    attributes = {"service.name": identity.service, "deployment.environment.name": identity.environment}
    if identity.release:
        attributes["service.version"] = identity.release
    return Resource.create(attributes)
