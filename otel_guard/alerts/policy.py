"""What the settings say about alerts: channels, steps, links, runbooks."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from otel_guard.core.incident import Incident
from otel_guard.core.routing import Step, about
from otel_guard.settings.alerting import ChannelConfig, Escalation


class Policy(Struct, frozen=True, kw_only=True):
    """Who is told, and what stands beside."""

    channels: tuple[ChannelConfig, ...]
    escalation: Mapping[str, tuple[Escalation, ...]]
    url: str | None = None  # of the dashboard
    secret_key: str | None = None
    runbooks: Callable[[str], tuple[str | None, tuple[str, ...]]] = lambda _rule: (None, ())

    def steps(self, incident: Incident) -> tuple[Step, ...]:
        """The steps of its severity, to channels that there are; a failing channel is not told of itself."""
        known = {channel.name for channel in self.channels} - {about(incident)}
        steps = self.escalation.get(incident.severity, ())
        return tuple(Step(step.after_s, tuple(name for name in step.to if name in known)) for step in steps)
