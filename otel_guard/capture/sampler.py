"""A sampler that lets the guard see what is not exported."""

from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes


class KeepErrorsSampler(Sampler):
    """Asks *inner* and turns DROP into RECORD_ONLY: the span is recorded, and no exporter gets it."""

    def __init__(self, inner: Sampler) -> None:
        self.inner = inner

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Sample as *inner* does, but never drop."""
        result = self.inner.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)
        if result.decision is not Decision.DROP:
            return result
        # A dropping sampler forgets the attributes; a recorded span needs them.
        return SamplingResult(Decision.RECORD_ONLY, result.attributes or attributes, result.trace_state)

    def get_description(self) -> str:
        """Name the sampler, and the one it asks."""
        return f"KeepErrorsSampler{{{self.inner.get_description()}}}"
