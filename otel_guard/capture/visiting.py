"""Listen for a while: on the application's own provider, else on one that nobody else sees."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from otel_guard.capture.sampler import KeepErrorsSampler
from otel_guard.runtime.private import OTEL_PROCESSORS, OTEL_ROOT_PROCESSORS


def visit(processor: SpanProcessor) -> tuple[TracerProvider, Callable[[], None]]:
    """Let *processor* see the spans; gives the provider to make them with, and what ends the visit."""
    current = trace.get_tracer_provider()
    if isinstance(current, TracerProvider):
        before = current.sampler
        if not isinstance(before, KeepErrorsSampler):
            current.sampler = KeepErrorsSampler(before)
        current.add_span_processor(processor)
        return current, partial(_leave, current, processor, before)
    own = TracerProvider(sampler=ALWAYS_ON, shutdown_on_exit=False)
    own.add_span_processor(processor)
    return own, own.shutdown


def _leave(provider: TracerProvider, processor: SpanProcessor, before: object) -> None:
    vars(provider)["sampler"] = before
    with suppress(AttributeError):  # an SDK that holds them elsewhere: ours stays, and hears nothing
        holder = getattr(provider, OTEL_ROOT_PROCESSORS[0])
        kept = getattr(holder, OTEL_PROCESSORS[0])
        setattr(holder, OTEL_PROCESSORS[0], tuple(each for each in kept if each is not processor))
