"""Rules that could not be judged, counted from cycle to cycle in the monitor's heartbeat."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from otel_guard.core.redaction import redact

PATIENCE: Final = 3  # cycles in a row in which a rule may fail
LONGEST: Final = 200


class Failing:
    """Name to how often in a row, and why last."""

    def __init__(self, detail: Mapping[str, Any], names: Collection[str]) -> None:
        """*detail* of the last heartbeat, which another release may have written otherwise; *names* of the rules that run."""
        counts = detail.get("failing")
        known = counts if isinstance(counts, Mapping) else {}
        self.counts: dict[str, dict[str, Any]] = {
            name: {"n": count["n"], "why": str(count["why"])}
            for name, count in known.items()
            if name in names and isinstance(count, Mapping) and isinstance(count.get("n"), int) and "why" in count
        }

    def note(self, name: str, why: str | None) -> None:
        """It failed because of *why*; None: it was judged."""
        if why is None:
            self.counts.pop(name, None)
            return
        n = self.counts[name]["n"] if name in self.counts else 0
        self.counts[name] = {"n": n + 1, "why": said(why)}

    def reasons(self) -> dict[str, str]:
        """Those that failed three times in a row, and why."""
        return {name: count["why"] for name, count in self.counts.items() if count["n"] >= PATIENCE}


def said(error: object) -> str:
    """*error* in one short line without secrets."""
    text = " ".join(str(error).split()) or type(error).__name__
    return redact(text[: 2 * LONGEST])[0][:LONGEST]
