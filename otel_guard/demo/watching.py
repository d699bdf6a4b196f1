"""The demo's monitor, the job that stops, and what people hear: read from Postgres and from the Slack stand-in."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from otel_guard.demo.processes import Child, CommandError, call, script, tail
from otel_guard.demo.standins.slack import Slack
from otel_guard.runtime.clock import Clock
from otel_guard.store.audit import told_incidents

JOB: Final = "stocktake"
EVERY: Final = "10s"  # and a minute of grace
SILENCE_LIMIT_S: Final = 130.0  # from its only beat
READY_LIMIT_S: Final = 20.0
POLL_S: Final = 0.2
CONFIG: Final = """\
# What the demo asks beyond the defaults: a quicker monitor, and one rule of the shop's own.
[monitor]
period_s = 5

[rule.card_trouble]
source = "errors"
where = { context = "payment" }
above = 3
window = "2m"
severity = "medium"
"""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One incident and when people heard of it; *after_s* is from the failure to the first message, None: nobody was."""

    rule: str
    severity: str
    state: str
    message: str
    occurrences: int
    after_s: float | None


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """What the watch made of it all; health is a line a moment."""

    health: Mapping[str, str]
    incidents: tuple[Told, ...]
    messages: int
    refused: int
    at_once_s: tuple[float, ...]  # of `critical_error`: from the failure to Slack
    silence: str | None  # what the silence rule said

    @property
    def is_good(self) -> bool:
        """Whether Slack took every message, somebody heard at once, and the silence was found."""
        return not self.refused and bool(self.messages) and bool(self.at_once_s) and self.silence is not None


class Monitor:
    """`otel-guard monitor` as users run it."""

    def __init__(self, env: Mapping[str, str], cwd: Path, log: Path) -> None:
        self._child = Child([script("otel-guard"), "monitor", "--verbose"], env=env, cwd=cwd, log=log)

    def await_leading(self, clock: Clock) -> None:
        """Wait until it leads."""
        deadline = clock.monotonic() + READY_LIMIT_S
        log = self._child.log_path
        while clock.monotonic() < deadline and self._child.is_running:
            if "this monitor leads" in log.read_text(errors="replace"):
                return
            clock.sleep(POLL_S)
        raise CommandError(f"the monitor did not start, see {log}; it ended with:\n{tail(log)}")

    def stop(self) -> None:
        """End it."""
        self._child.stop()


def write_config(folder: Path) -> Path:
    """The rule file of the demo."""
    path = (folder / "otel_guard.toml").resolve()
    path.write_text(CONFIG)
    return path


def health_line(env: Mapping[str, str]) -> str:
    """The first line of `otel-guard health`, whatever its exit code."""
    done = call([script("otel-guard"), "health"], env={**env, "COLUMNS": "140"})
    text = done.text or done.errors or f"otel-guard health ended with {done.code}"
    return " ".join(text.splitlines()[0].split())


def told(dsn: str) -> tuple[Told, ...]:
    """Incidents that fired, in the order of their failures."""
    return tuple(_told(row) for row in told_incidents(dsn))


def watched(health: Mapping[str, str], incidents: Sequence[Told], slack: Slack) -> Watched:
    """All of it."""
    silence = next((each.message for each in incidents if each.rule == "heartbeat_missed"), None)
    return Watched(
        health=dict(health),
        incidents=tuple(incidents),
        messages=len(slack.messages),
        refused=len(slack.refused),
        at_once_s=tuple(sorted(_times(incidents, "critical_error"))),
        silence=silence if any(JOB in message.shown for message in slack.messages) else None,
    )


def _times(incidents: Iterable[Told], rule: str) -> list[float]:
    return [each.after_s for each in incidents if each.rule == rule and each.after_s is not None]


def _told(row: Mapping[str, Any]) -> Told:
    return Told(
        rule=row["rule"] or row["type"],
        severity=row["severity"],
        state=row["state"],
        message=row["message"] or "",
        occurrences=row["occurrences"],
        after_s=row["after_s"],
    )
