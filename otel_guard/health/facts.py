"""What other parts of the guard tell the health: switches, circuits, whether the monitor was reported lost."""

from collections.abc import Callable, Mapping
from typing import Final

from otel_guard.core.dependency import PROVIDER_PREFIX
from otel_guard.runtime.failsafe import Failsafe

SWITCHES: Final = "switches"  # () -> name of a switch to whether it is on
CIRCUITS: Final = "circuits"  # () -> OTel's name of an AI provider to closed, open, half_open
MONITOR_LOST: Final = "monitor_lost"  # () -> whether the application alerted so
PAYMENTS: Final = "payments"


class Facts:
    """Asks the callables; one that is not there, or fails, tells nothing."""

    def __init__(self, given: Mapping[str, Callable[[], object]], failsafe: Failsafe) -> None:
        self._given = given
        self._failsafe = failsafe

    def switches(self) -> Mapping[str, bool]:
        """Name to whether it is on."""
        return {name: bool(value) for name, value in self._mapping(SWITCHES).items()}

    def circuits(self) -> Mapping[str, str]:
        """Name of a provider's row (`ai.openai`) to its breaker's state."""
        return {f"{PROVIDER_PREFIX}{name}": str(state) for name, state in self._mapping(CIRCUITS).items()}

    def is_monitor_lost(self) -> bool:
        """Whether it was reported."""
        return bool(self._asked(MONITOR_LOST))

    def _mapping(self, name: str) -> Mapping[str, object]:
        value = self._asked(name)
        return value if isinstance(value, Mapping) else {}

    def _asked(self, name: str) -> object:
        fn = self._given.get(name)
        with self._failsafe(f"health: {name}"):
            return fn() if fn is not None else None
        return None
