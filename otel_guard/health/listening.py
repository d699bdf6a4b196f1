"""What passes by: every finished call and every user, kept for five minutes."""

from collections.abc import Mapping
from typing import Final

from otel_guard.core.classify import SERVER, Call
from otel_guard.core.dependency import dependency_of, sign_of
from otel_guard.core.passive import Ring
from otel_guard.core.traffic import Traffic

MOST: Final = 32  # dependencies: AI providers are named by whoever makes the span


class Listening:
    """The rings of this process; called in the application's threads."""

    def __init__(self, slow_ms: Mapping[str, float]) -> None:
        """*slow_ms* by context."""
        self.rings: dict[str, Ring] = {}
        self.traffic = Traffic()
        self._slow_ms = slow_ms
        self._by_context: dict[str, Ring] = {}
        self._by_provider: dict[str | None, Ring] = {}

    def observe(self, call: Call) -> None:
        """Count one finished call."""
        if call.kind == SERVER:
            self.traffic.observe(call.duration_ms, call.ended_ms, is_failed=call.outcome == "failed")
            return
        context = call.context
        ring = self._by_provider.get(call.system) if context == "ai" else self._by_context.get(context)
        if ring is None and (ring := self._ring(call)) is None:
            return
        sign = "ok" if call.outcome == "ok" else sign_of(call)
        if sign is not None:
            ring.observe(sign, call.error_class, call.duration_ms, call.ended_ms)

    def forget(self) -> None:
        """In a forked child: the calls were the parent's."""
        for known in (self.rings, self._by_context, self._by_provider):
            known.clear()
        self.traffic = Traffic()

    def _ring(self, call: Call) -> Ring | None:
        """The ring of the first call of its kind."""
        name = dependency_of(call)
        if name is None or (name not in self.rings and len(self.rings) >= MOST):
            return None
        ring = self.rings.setdefault(name, Ring(self._slow_ms.get(call.context, 0.0)))
        if call.context == "ai":
            self._by_provider[call.system] = ring
        else:
            self._by_context[call.context] = ring
        return ring
