"""anthropic: its own spans (from 2 on), on unless `ANTHROPIC_OPEN_TELEMETRY=false`; a second instrumentor is stopped."""

import logging
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any, Final

import wrapt

from otel_guard.instrumentation._engine import Adopt, Instrumentation, Services, find, unwrap, wrap
from otel_guard.runtime.private import ANTHROPIC_TRACING

logger: Final = logging.getLogger("otel_guard")
DOUBLE: Final = "opentelemetry.instrumentation.genai.anthropic"
_INSTRUMENTOR: Final = "AnthropicInstrumentor"


class _Doubles:
    """Stops the official instrumentor, which would make a second span of each call."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._undo: list[Callable[[], object]] = []
        self._is_on = True
        self._is_said = False

    def loaded(self, module: ModuleType) -> None:
        """It was imported: whoever started it, before now or later, starts nothing."""
        if not self._is_on:
            return
        with self._services.failsafe(f"stop {DOUBLE}"):
            theirs = getattr(module, _INSTRUMENTOR)
            if theirs().is_instrumented_by_opentelemetry:
                theirs().uninstrument()
                self._say()
            if (place := find(module, f"{_INSTRUMENTOR}.instrument")) is not None:
                self._undo.append(partial(unwrap, wrap(place, self._instrument)))

    def stop(self) -> None:
        """Let it start again."""
        self._is_on = False
        while self._undo:
            self._undo.pop()()

    def _instrument(self, wrapped: Callable[..., Any], _instance: Any, args: Any, kwargs: Any) -> Any:
        if not self._is_on:
            return wrapped(*args, **kwargs)
        self._say()
        return None

    def _say(self) -> None:
        if not self._is_said:
            self._is_said = True
            logger.warning(
                "otel-guard: anthropic makes its own spans, so opentelemetry-instrumentation-genai-anthropic was "
                "stopped: it would have counted each call twice; remove it, or set OTEL_GUARD_INSTRUMENT_OFF=anthropic"
            )


def adopt(services: Services) -> Callable[[], None]:
    """Leave the spans to the library, and see to it that it is alone."""
    doubles = _Doubles(services)
    wrapt.register_post_import_hook(doubles.loaded, DOUBLE)
    return doubles.stop


ANTHROPIC: Final = Instrumentation(
    name="anthropic",
    requires="anthropic >= 2",  # without its own spans it is `unsupported`: HTTP spans of its host tell what fails
    context="ai",
    system="anthropic",
    targets=(Adopt(module="anthropic", adopt=adopt, needs=((ANTHROPIC_TRACING, "start_api_call_span"),)),),
)
