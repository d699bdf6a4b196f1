"""OTel's metrics of calls whose spans are made by the libraries themselves, which make no metrics."""

from collections.abc import Mapping
from typing import Final

from opentelemetry.metrics import Histogram, Meter

from otel_guard.core import semconv
from otel_guard.core.classify import CLIENT, Call

ANTHROPIC: Final = "com.anthropic.sdk.python"
DURATION: Final = "gen_ai.client.operation.duration"
TOKENS: Final = "gen_ai.client.token.usage"
MAX_MODELS: Final = 100
OTHER: Final = "_OTHER"
# The boundaries that OTel's conventions for generative AI name.
_SECONDS: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_COUNTS: Final = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)
_KEPT: Final = (
    semconv.GEN_AI_OPERATION_NAME,
    semconv.GEN_AI_PROVIDER_NAME,
    semconv.SERVER_ADDRESS,
    semconv.SERVER_PORT,
)
_MODELS: Final = (semconv.GEN_AI_REQUEST_MODEL, semconv.GEN_AI_RESPONSE_MODEL)
_USED: Final = (("input", semconv.GEN_AI_USAGE_INPUT_TOKENS), ("output", semconv.GEN_AI_USAGE_OUTPUT_TOKENS))


class DerivedMetrics:
    """Durations and tokens of anthropic's own spans."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._instruments: tuple[Histogram, Histogram] | None = None
        self._models: set[object] = set()

    def ended(self, scope: str, call: Call, attributes: Mapping[str, object]) -> None:
        """Count one call, if it is one of those."""
        if call.kind != CLIENT or not scope.startswith(ANTHROPIC) or semconv.GEN_AI_OPERATION_NAME not in attributes:
            return  # an agent's or a tool's span is no call of a model
        seconds, tokens = self._made()
        kept = {key: value for key in _KEPT if isinstance(value := attributes.get(key), str | int)}
        kept |= {key: self._capped(value) for key in _MODELS if isinstance(value := attributes.get(key), str)}
        for kind, key in _USED:
            if isinstance(count := attributes.get(key), int):
                tokens.record(count, {**kept, semconv.GEN_AI_TOKEN_TYPE: kind})
        if call.outcome == "failed":
            kept[semconv.ERROR_TYPE] = str(attributes.get(semconv.ERROR_TYPE) or OTHER)
        seconds.record(call.duration_ms / 1000, kept)

    def _capped(self, model: str) -> str:
        if model in self._models:
            return model
        if len(self._models) >= MAX_MODELS:
            return OTHER
        self._models.add(model)
        return model

    def _made(self) -> tuple[Histogram, Histogram]:
        if self._instruments is None:
            self._instruments = (
                self._meter.create_histogram(DURATION, unit="s", explicit_bucket_boundaries_advisory=_SECONDS),
                self._meter.create_histogram(TOKENS, unit="{token}", explicit_bucket_boundaries_advisory=_COUNTS),
            )
        return self._instruments
