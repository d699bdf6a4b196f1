"""The spans that contrib's instrumentors of database drivers make: no literal, our names, their failures told."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import Token
from types import TracebackType
from typing import Any, Final, Self

from msgspec import Struct
from opentelemetry import context, trace
from opentelemetry.context import Context as OtelContext
from opentelemetry.metrics import Histogram
from opentelemetry.trace import Span, SpanKind, Tracer, TracerProvider

from otel_guard.core import semconv
from otel_guard.core.outcome import Attribute, Facts
from otel_guard.core.record import Context
from otel_guard.core.sql import Digest
from otel_guard.instrumentation._engine_database import Judge, end, is_watched, outcome_of
from otel_guard.instrumentation._engine_services import Services

DURATION: Final = "db.client.operation.duration"
BOUNDARIES: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)
# Contrib writes the old names where the application asked for them: the new ones are there all the same.
_NEW: Final = {
    semconv.DB_NAME: semconv.DB_NAMESPACE,
    semconv.DB_STATEMENT: semconv.DB_QUERY_TEXT,
    semconv.NET_PEER_NAME: semconv.SERVER_ADDRESS,
    semconv.NET_PEER_PORT: semconv.SERVER_PORT,
}
_DROPPED: Final = frozenset({semconv.DB_STATEMENT_PARAMETERS, semconv.DB_USER, semconv.ERROR_TYPE})
_ON_METRICS: Final = (
    semconv.DB_SYSTEM_NAME,
    semconv.DB_NAMESPACE,
    semconv.DB_OPERATION_NAME,
    semconv.SERVER_ADDRESS,
    semconv.SERVER_PORT,
)
_KNOWN_STATEMENTS: Final = 1_000
_LONGEST_KNOWN: Final = 4096


class Driver(Struct, frozen=True, kw_only=True):
    """What is the same in every call of one driver."""

    name: str
    system: str
    context: Context
    digest: Callable[[str], Digest]
    judge: Judge = outcome_of
    is_measured: Callable[[], bool] = lambda: False  # whether the duration's metric is ours to make


class Statements:
    """The digests of a driver's statements: an application makes the same ones again and again."""

    def __init__(self, driver: Driver) -> None:
        self._digest = driver.digest
        self._known: dict[str, Digest] = {}

    def __call__(self, text: str) -> Digest:
        """The digest of *text*."""
        found = self._known.get(text)
        if found is None:
            found = self._digest(text)
            if len(text) <= _LONGEST_KNOWN:
                if len(self._known) >= _KNOWN_STATEMENTS:
                    self._known.clear()
                self._known[text] = found
        return found


class DriverSpans(TracerProvider):
    """What an adopted instrumentor is given for a provider."""

    def __init__(self, services: Services, driver: Driver) -> None:
        self._services = services
        self._shared = _Shared(
            services,
            driver,
            Statements(driver),
            services.meter.create_histogram(DURATION, unit="s", explicit_bucket_boundaries_advisory=BOUNDARIES),
        )

    def stop(self) -> None:
        """Connections that are open keep their watched cursors: these make no spans any more."""
        self._shared.is_on = False

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Any = None,
    ) -> Tracer:
        """Make a tracer round the real one."""
        provider = self._services.tracer_provider or trace.get_tracer_provider()
        real = provider.get_tracer(instrumenting_module_name, instrumenting_library_version, schema_url, attributes)
        return _Tracer(real, self._shared)


class _Shared(Struct):
    services: Services
    driver: Driver
    statements: Statements
    duration: Histogram
    is_on: bool = True


class _Tracer(Tracer):
    def __init__(self, real: Tracer, shared: _Shared) -> None:
        self._real = real
        self._shared = shared

    def start_span(self, name: str, *args: Any, **kwargs: Any) -> Span:
        return self._real.start_span(name, *args, **kwargs)

    def start_as_current_span(  # type: ignore[override]
        self, name: str, *, kind: SpanKind = SpanKind.CLIENT, attributes: Mapping[str, Any] | None = None
    ) -> AbstractContextManager[Any]:
        # Contrib 0.64b0 asks nobody whether it may: not asyncpg's, nor dbapi's asynchronous calls.
        if not self._shared.is_on or not is_watched():
            return nullcontext(trace.INVALID_SPAN)
        return _Call(self._real, self._shared, name, kind, attributes or {})


class _Call:
    """One call while it is current: the part of a span that contrib's instrumentors of drivers use."""

    __slots__ = ("_kept", "_kind", "_real", "_shared", "_started", "_token", "_tracer", "name")

    def __init__(
        self, tracer: Tracer, shared: _Shared, name: str, kind: SpanKind, attributes: Mapping[str, Any]
    ) -> None:
        self._tracer = tracer
        self._shared = shared
        self._kind = kind
        self._real: Span = trace.INVALID_SPAN
        self._token: Token[OtelContext] | None = None
        self._started = 0.0
        self._kept: dict[str, Attribute] = {
            semconv.DB_SYSTEM_NAME: shared.driver.system,
            semconv.GUARD_CONTEXT: shared.driver.context,
        }
        self.name = ""
        with self._guarded("read"):
            self.name = shared.statements(name).summary
            self._kept.update(self._read(attributes))

    def __enter__(self) -> Self:
        with self._guarded("start"):
            self._started = self._shared.services.clock.monotonic()
            self._real = self._tracer.start_span(self.name, kind=self._kind, attributes=self._kept)
            self._token = context.attach(trace.set_span_in_context(self._real))
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        token, self._token = self._token, None
        if token is not None:
            context.detach(token)
        with self._guarded("end"):
            self._end(exc)

    def is_recording(self) -> bool:
        """Without a recording span too a failure is told, with what is known of the call."""
        return True

    def get_span_context(self) -> trace.SpanContext:
        """As of the real span."""
        return self._real.get_span_context()

    def set_attribute(self, key: str, value: Any) -> None:
        """Keep one attribute."""
        self.set_attributes({key: value})

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Keep *attributes*, a statement without its literals."""
        with self._guarded("attributes"):
            read = self._read(attributes)
            self._kept.update(read)
            self._real.set_attributes(read)
            if semconv.DB_QUERY_SUMMARY in read:
                self._real.update_name(self.name)

    def set_status(self, *_: Any) -> None:
        """What contrib says of a failure is said at the end, without the database's text."""

    def _read(self, attributes: Mapping[str, Any]) -> dict[str, Attribute]:
        kept: dict[str, Attribute] = {}
        for key, value in attributes.items():
            if key in _DROPPED:
                continue
            name = _NEW.get(key, key)
            if name == semconv.DB_QUERY_TEXT:
                digest = self._shared.statements(text_of(value))
                self.name = kept[semconv.DB_QUERY_SUMMARY] = digest.summary
                kept[semconv.DB_OPERATION_NAME] = digest.operation
                kept[key] = kept[name] = digest.text
            else:
                kept[key] = kept[name] = value
        return kept

    def _end(self, exc: BaseException | None) -> None:
        outcome = self._shared.driver.judge(exc) if exc is not None else None
        metric: dict[str, Attribute] = {key: self._kept[key] for key in _ON_METRICS if key in self._kept}
        if (outcome is None or outcome.kind == "failed") and self._shared.driver.is_measured():
            failed: dict[str, Attribute] = (
                {semconv.ERROR_TYPE: outcome.error_type or "_OTHER"} if outcome is not None else {}
            )
            seconds = self._shared.services.clock.monotonic() - self._started
            self._shared.duration.record(seconds, {**metric, **failed})
        if exc is None or outcome is None:
            self._real.end()
        else:
            end(self._shared.services, self._real, Facts(self.name, self._kept, metric), exc, outcome)

    def _guarded(self, step: str) -> AbstractContextManager[None]:
        return self._shared.services.failsafe(f"{self._shared.driver.name}.{step}")


def text_of(value: Any) -> str:
    """The text of a statement, which may be bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes | bytearray) else str(value)
