"""The channels: each can be reached, and one that confirms hears of what is critical."""

import socket
from collections.abc import Iterator
from typing import Final

from otel_guard.capture.tracing import peer
from otel_guard.doctor._base import Finding, Look, Status, skipped
from otel_guard.runtime.http import NoAnswerError, post
from otel_guard.settings.alerting import Alerting, ChannelConfig, alerting

GROUP: Final = "channels"
ASK_S: Final = 5.0
SHOWN: Final = 60
NOTHING: Final = b"{}"  # Slack judges the address first, then that there is no text
SERVER_ERROR: Final = 500
LIMITED: Final = 429
GONE: Final = {403, 404, 405, 410}


def check(look: Look) -> Iterator[Finding]:
    """Ask each without sending a message."""
    found = alerting(look.settings, look.environ)
    if not found.channels:
        fix = "set SLACK_WEBHOOK_URL or MAKE_WEBHOOK_URL, or write [channel.NAME] into otel_guard.toml"
        yield Finding(group=GROUP, name="channels", status="absent", detail="none: nobody is told of anything", fix=fix)
        return
    for config in found.channels:
        yield _asked(config) if look.is_network_allowed else skipped(GROUP, config.name)
    yield from _critical(found)


def _asked(config: ChannelConfig) -> Finding:
    if config.type != "slack":
        return _reached(config)
    try:
        answer = post(config.url, NOTHING, {"Content-Type": "application/json"}, ASK_S)
    except NoAnswerError:
        return _away(config)
    said = " ".join(answer.body.decode("utf-8", "replace").split())[:SHOWN]
    if answer.status in GONE:
        return _row(
            config, "failed", f"{answer.status} {said}".strip(), "make a new webhook, write it into its variable"
        )
    if answer.status >= SERVER_ERROR or answer.status == LIMITED:
        return _row(config, "warning", f"{answer.status} {said}".strip(), "its server is in trouble: try again later")
    return _row(config, "ok", "its webhook is known; `otel-guard test-alert` sends a real message")


def _reached(config: ChannelConfig) -> Finding:
    """Only a connection: a request would be a message."""
    try:
        socket.create_connection(peer(config.url) or ("", 0), ASK_S).close()
    except OSError:
        return _away(config)
    return _row(config, "ok", "its server answers; `otel-guard test-alert` sends a real message")


def _critical(found: Alerting) -> Iterator[Finding]:
    told = {name for step in found.escalation.get("critical", ()) for name in step.to}
    types = {config.name: config.type for config in found.channels}
    if told and all(types.get(name) == "webhook" for name in told):
        detail = f"only {', '.join(sorted(told))} hears of it: a webhook accepts messages that nobody gets"
        fix = (
            'end its scenario with the answer {"ok":true} and try `otel-guard test-alert`, or add a Slack channel '
            "to [escalation.critical]"
        )
        yield Finding(group=GROUP, name="critical", status="warning", detail=detail, fix=fix)


def _away(config: ChannelConfig) -> Finding:
    return _row(
        config, "failed", "its server does not answer", "see that this machine reaches it: firewall, proxy, name"
    )


def _row(config: ChannelConfig, status: Status, detail: str, fix: str = "") -> Finding:
    return Finding(group=GROUP, name=config.name, status=status, detail=detail, fix=fix)
