import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Decision, ParentBased, Sampler, TraceIdRatioBased

from otel_guard.capture.sampler import KeepErrorsSampler


@pytest.mark.parametrize(
    ("inner", "decision"),
    [
        (ALWAYS_ON, Decision.RECORD_AND_SAMPLE),
        (ALWAYS_OFF, Decision.RECORD_ONLY),
        (TraceIdRatioBased(0.0), Decision.RECORD_ONLY),
        (ParentBased(ALWAYS_OFF), Decision.RECORD_ONLY),
    ],
)
def test_nothing_is_dropped_and_attributes_are_kept(inner: Sampler, decision: Decision) -> None:
    result = KeepErrorsSampler(inner).should_sample(None, 1, "span", attributes={"a": 1})

    assert (result.decision, dict(result.attributes)) == (decision, {"a": 1})


def test_an_unsampled_span_is_recorded_with_its_children_and_not_exported() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=KeepErrorsSampler(ParentBased(TraceIdRatioBased(0.0))))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("t")

    with (
        tracer.start_as_current_span("root", attributes={"a": 1}) as root,
        tracer.start_as_current_span("child") as child,
    ):
        assert root.is_recording()
        assert child.is_recording()
        assert not child.get_span_context().trace_flags.sampled
    provider.shutdown()

    assert exporter.get_finished_spans() == ()


def test_it_names_the_sampler_that_it_asks() -> None:
    assert KeepErrorsSampler(ALWAYS_OFF).get_description() == "KeepErrorsSampler{AlwaysOffSampler}"
