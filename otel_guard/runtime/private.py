"""The private names of other packages that we touch, with the versions each was seen in."""

from typing import Final

# package -> (dotted name, versions seen)
NAMES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "anthropic": (("anthropic._tracing.start_api_call_span", "2.12 to 2.13"),),
    "asyncpg": (("asyncpg.connect_utils._connect", "0.27 to 0.32"),),
    "opentelemetry-sdk": (
        ("opentelemetry.sdk.trace.TracerProvider._active_span_processor", "1.38 to 1.45"),
        ("opentelemetry.sdk._logs.LoggerProvider._multi_log_record_processor", "1.45"),
        ("opentelemetry.sdk.trace.SynchronousMultiSpanProcessor._span_processors", "1.45"),
        ("opentelemetry.sdk._logs._internal.SynchronousMultiLogRecordProcessor._log_record_processors", "1.45"),
        ("opentelemetry.sdk.trace.export.BatchSpanProcessor._batch_processor", "1.45"),
        ("opentelemetry.sdk._shared_internal.BatchProcessor._exporter", "1.45"),
        ("opentelemetry.sdk.trace.ReadableSpan._attributes", "1.43 to 1.45"),
        ("opentelemetry.attributes.BoundedAttributes._dict", "1.43 to 1.45"),
    ),
    "sentry-sdk": (("sentry_sdk.profiler.continuous_profiler._scheduler", "2.75"),),
}

# capture/exporters.py: where providers hold their processors, these theirs, and the last of them their exporter
# (most are attributes of instances; the plain names are public ones of the same meaning).
OTEL_ROOT_PROCESSORS: Final = ("_active_span_processor", "_multi_log_record_processor")
OTEL_PROCESSORS: Final = ("_span_processors", "_log_record_processors", "_batch_processor")
OTEL_EXPORTERS: Final = ("span_exporter", "_exporter")
# sinks/sentry.py: building a client replaces the profiler of the whole process.
SENTRY_PROFILER_SCHEDULER: Final = "_scheduler"
# capture/attributes.py: a look-up without a Python call.
OTEL_ATTRIBUTES: Final = "_attributes"
OTEL_ATTRIBUTES_DICT: Final = "_dict"
# instrumentation/anthropic.py: the module of its own spans; older versions have none.
ANTHROPIC_TRACING: Final = "anthropic._tracing"
