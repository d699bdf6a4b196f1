"""Durations and counts of watched calls, with few and safe attributes."""

from typing import Final

from opentelemetry.metrics import Counter, Histogram, Meter

from otel_guard.core import semconv
from otel_guard.core.outcome import Attribute, Facts, Outcome
from otel_guard.instrumentation._engine_table import Instrumentation

BOUNDARIES: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
MAX_VALUES: Final = 100
OTHER: Final = "_OTHER"


class Metrics:
    """The instruments, made when first needed."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._durations: dict[str, Histogram] = {}
        self._counters: dict[str, Counter] = {}
        self._values: dict[str, set[Attribute]] = {}

    def ended(self, table: Instrumentation, facts: Facts, outcome: Outcome, seconds: float) -> None:
        """Count one call."""
        if table.duration is None and not table.tallies:
            return
        attributes = self._attributes(facts, outcome)
        if table.duration is not None:
            self._duration(table.duration).record(seconds, attributes)
        for tally in table.tallies:
            if amount := tally.amount(facts, outcome):
                self._counter(tally.name, tally.unit).add(amount, attributes)

    def failed(self, library: str) -> None:
        """Count a step of ours that failed."""
        self._counter("otel_guard.hook.failures", "{failure}").add(1, {semconv.GUARD_LIBRARY: library})

    def _attributes(self, facts: Facts, outcome: Outcome) -> dict[str, Attribute]:
        attributes = dict(facts.metric_attributes)
        if (status := outcome.attributes.get(semconv.HTTP_RESPONSE_STATUS_CODE)) is not None:
            attributes[semconv.HTTP_RESPONSE_STATUS_CODE] = status
        if outcome.kind == "failed":
            attributes[semconv.ERROR_TYPE] = outcome.error_type or OTHER
        return {key: self._capped(key, value) for key, value in attributes.items()}

    def _capped(self, key: str, value: Attribute) -> Attribute:
        known = self._values.setdefault(key, set())
        if value in known:
            return value
        if len(known) >= MAX_VALUES:
            return OTHER
        known.add(value)
        return value

    def _duration(self, name: str) -> Histogram:
        if name not in self._durations:
            self._durations[name] = self._meter.create_histogram(
                name, unit="s", explicit_bucket_boundaries_advisory=BOUNDARIES
            )
        return self._durations[name]

    def _counter(self, name: str, unit: str) -> Counter:
        if name not in self._counters:
            self._counters[name] = self._meter.create_counter(name, unit=unit)
        return self._counters[name]
