"""`otel-guard test-alert`: send a real message to a channel; opens no incident, needs no Postgres."""

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Final

import typer
from rich.text import Text

from otel_guard.alerts.channels.making import channel
from otel_guard.cli._base import FAILED, USAGE, Problem, console, emit, plain, settings
from otel_guard.core.incident import Answer, Incident, Notice
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.ids import uuid7
from otel_guard.settings.alerting import ChannelConfig, alerting
from otel_guard.settings.identity import identity

NONE: Final = "set SLACK_WEBHOOK_URL or MAKE_WEBHOOK_URL, or write [channel.NAME] into otel_guard.toml"
STYLES: Final = {"ok": "green", "unconfirmed": "yellow", "failed": "red"}
NEW: Final = "make a new webhook"
CONFIRM: Final = 'end the scenario with a webhook response {"ok":true}; one that is switched off accepts too'
# By what the server said; else by its status.
CURES: Final[Mapping[str, str]] = {
    "action_prohibited": "the workspace forbids webhooks there: ask its administrator",
    "channel_is_archived": "unarchive the channel, or make a webhook for another",
    "invalid_token": NEW,
    "no_service": NEW,
    "Queue is full": "switch the scenario on and empty its queue",
    "without ok": "write the address of a Slack webhook, https://hooks.slack.com/services/…, into its variable",
}
STATUS_CURES: Final[Mapping[int, str]] = {
    400: "it refuses our message: see that the address is that of a webhook",
    401: "check the secret or the API key of the channel",
    403: "check the secret or the API key of the channel, or make a new webhook",
    404: NEW,
    405: "write the address of a webhook that takes POST",
    410: NEW,
    429: "it has had too many: try again later",
}
SERVER_ERROR: Final = 500


def command(
    name: Annotated[str | None, typer.Argument(metavar="CHANNEL", help="One channel; else all of them.")] = None,
    *,
    is_all: Annotated[bool, typer.Option("--all", help="All channels.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Send a test message, and say what each server answered; exit 1 if one did not take it."""
    given = settings()
    found = alerting(given, os.environ)
    for line in found.problems:
        sys.stderr.write(f"otel-guard: {line}\n")
    who = identity(given, os.environ)
    incident = Incident(
        id=uuid7(SYSTEM.now_ms()),
        state="firing",
        type="test",
        rule=None,
        dedup_key=f"test:{who.environment}:{who.service}",
        severity="low",
        message=f"a test message from {who.host}, nothing is wrong",
        service=who.service,
        environment=who.environment,
        release=who.release,
    )
    answers = {config: _sent(config, incident) for config in _chosen(found.channels, None if is_all else name)}
    if json:
        emit("test_alert", {"channels": [_row(config, answer) for config, answer in answers.items()]})
    else:
        _show(answers)
    if "failed" in map(status, answers.values()):
        raise typer.Exit(FAILED)


def status(answer: Answer) -> str:
    """ok, unconfirmed or failed."""
    return answer.kind if answer.kind in {"ok", "unconfirmed"} else "failed"


def cure(answer: Answer) -> str:
    """What to do about *answer*; empty if it is fine."""
    if answer.kind == "ok":
        return ""
    if answer.kind == "unconfirmed":
        return CONFIRM
    if answer.status is None:
        return "see that this machine reaches the address: firewall, proxy, name"
    said = next((do for words, do in CURES.items() if words in answer.detail), None)
    if said is None and answer.status >= SERVER_ERROR:
        return "its server is in trouble: try again later"
    return said or STATUS_CURES.get(answer.status, "see that the address is that of a webhook")


def _chosen(channels: tuple[ChannelConfig, ...], name: str | None) -> tuple[ChannelConfig, ...]:
    if not channels:
        raise Problem("no channel is configured", NONE, USAGE)
    chosen = tuple(config for config in channels if name in {None, config.name})
    if not chosen:
        known = ", ".join(config.name for config in channels)
        raise Problem(f"there is no channel {name!r}", f"name one of {known}", USAGE)
    return chosen


def _sent(config: ChannelConfig, incident: Incident) -> Answer:
    notice = Notice(event="test", incident=incident, at=datetime.fromtimestamp(SYSTEM.now_ms() / 1000, UTC))
    return channel(config).send([notice], f"test:{incident.id}:{config.name}")


def _row(config: ChannelConfig, answer: Answer) -> dict[str, object]:
    return {
        "name": config.name,
        "type": config.type,
        "status": status(answer),
        "http_status": answer.status,
        "detail": answer.detail,
        "fix": cure(answer) or None,
        "took_ms": answer.took_ms,
    }


def _show(answers: Mapping[ChannelConfig, Answer]) -> None:
    out = console()
    out.print(Text(" · ").join(_said(config, answer) for config, answer in answers.items()))
    for config, answer in answers.items():
        if do := cure(answer):
            what = "accepted, unconfirmed" if answer.kind == "unconfirmed" else answer.detail
            out.print(plain(f"{config.name}: {what} -> {do}"))


def _said(config: ChannelConfig, answer: Answer) -> Text:
    how = status(answer)
    took = f" {answer.took_ms:.0f} ms" if how == "ok" else ""
    return Text.assemble(plain(config.name), " ", (how, STYLES[how]), took)
