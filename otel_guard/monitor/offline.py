"""Whether it is the monitor that is cut off: all channels and all probes fail."""

from collections.abc import Callable, Sequence

from otel_guard.store import monitoring
from otel_guard.store.ask import Database


class Offline:
    """Says one line when it begins, one when it ends; nothing else is told meanwhile."""

    def __init__(
        self, channels: Callable[[], Sequence[str]], pinged: Callable[[], bool | None], say: Callable[[str], None]
    ) -> None:
        """*channels*: names of those in the settings; *pinged*: whether the last dead-man ping arrived, None: none."""
        self._channels = channels
        self._pinged = pinged
        self._say = say
        self._was_so = False

    def __call__(self, database: Database) -> bool:
        """Whether every channel failed of late, and every probe of the outside with it; without a probe never."""
        names = list(self._channels())
        reach = monitoring.reach(database, names)
        pinged = self._pinged()
        probes = reach.probes + (pinged is not None)
        failing = reach.probes_failing + (pinged is False)
        is_so = bool(names) and reach.channels_failing == len(names) and 0 < probes == failing
        if is_so is not self._was_so:
            self._was_so = is_so
            self._say(
                "I am offline: all channels and all probes fail; no rule is judged until one answers"
                if is_so
                else "I am online again"
            )
        return is_so
