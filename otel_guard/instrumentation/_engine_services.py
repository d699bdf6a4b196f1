"""What the engine's parts share."""

from collections.abc import Callable
from typing import Any, Protocol

from msgspec import Struct
from opentelemetry.metrics import Meter, MeterProvider
from opentelemetry.trace import Span, Tracer, TracerProvider

from otel_guard.core.outcome import Facts, Outcome
from otel_guard.runtime.clock import Clock
from otel_guard.runtime.failsafe import Failsafe


class Unhandled(Protocol):
    """Takes an exception that left a web framework's view."""

    def __call__(self, exc: BaseException, *, route: str | None, user_id: str | None) -> None:
        """Record it as unhandled."""
        ...


Handover = Callable[[Span, BaseException | None, Outcome, Facts], None]
Gate = Callable[[Facts], None]


class Services(Struct, frozen=True, kw_only=True):
    """The collaborators of every watched call; adopted instrumentors get them too."""

    tracer: Tracer
    meter: Meter
    failsafe: Failsafe
    handover: Handover
    gate: Gate | None
    unhandled: Unhandled
    user: Callable[[str], None]
    flush: Callable[[], object]
    clock: Clock
    http_children: bool
    opt_in: frozenset[str]
    tracer_provider: TracerProvider | None
    meter_provider: MeterProvider | None


def ignore(*_: Any, **__: Any) -> None:
    """Stand in for a collaborator that is not there."""
