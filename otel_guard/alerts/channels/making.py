"""Make a channel of its settings."""

from otel_guard.alerts.channels._base import Channel
from otel_guard.alerts.channels.slack import Slack
from otel_guard.alerts.channels.webhook import Webhook
from otel_guard.runtime.clock import SYSTEM, Clock
from otel_guard.settings.alerting import ChannelConfig


def channel(config: ChannelConfig, clock: Clock = SYSTEM) -> Channel:
    """The channel that *config* describes; nothing is opened before it sends."""
    if config.type == "slack":
        return Slack(config.name, config.url, clock)
    return Webhook(config.name, config.url, clock, secret=config.secret, api_key=config.api_key)
