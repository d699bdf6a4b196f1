"""The record of a job that failed, on its way through a journal: what cannot be delivered at once waits there."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct

from otel_guard.core import fingerprint as recipe
from otel_guard.core.exceptions import SettingsError
from otel_guard.core.record import ErrorRecord
from otel_guard.core.redaction import Redactor, check_rule
from otel_guard.journal.journal import Journal
from otel_guard.journal.place import default_dir, folder_name
from otel_guard.journal.pump import SinkSpec
from otel_guard.runtime.child import OF_SIGNAL
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.runtime.ids import uuid7
from otel_guard.settings import Settings
from otel_guard.settings.identity import Identity
from otel_guard.sinks.postgres import PostgresSink
from otel_guard.sinks.sentry import SentrySink, check_dsn
from otel_guard.sinks.unusable import UnusableSink
from otel_guard.store.dsn import target

LIMIT_S: Final = 10.0  # how long a job waits for Postgres at its end
SENTRY_S: Final = 2.0
MIB: Final = 1024 * 1024
ERROR_TYPE: Final = "JobFailed"
BAD: Final = "bad"  # a DSN that is none

Say = Callable[[str], None]


class Failure(Struct, frozen=True, kw_only=True):
    """How a job ended."""

    name: str
    program: str
    code: int
    took_s: float


def record(failure: Failure, given: Settings, who: Identity, say: Say) -> None:
    """Deliver it within 10 s to Postgres, and to the Sentry of SENTRY_DSN; else leave it to others, and say so."""
    rules, where = _redactor(given), _target(given, say)
    specs = _sinks(given, who, where, rules, say)
    if not specs:
        say(f"neither OTEL_GUARD_DSN nor SENTRY_DSN is set: nobody knows that {failure.name} failed")
        return
    base = Path(given.journal.dir) if given.journal.dir else default_dir(os.environ)
    journal = Journal(
        base / folder_name(who.service, where),
        service=who.service,
        environment=who.environment,
        release=who.release,
        host=who.host,
        sinks=specs,
        limit_bytes=given.journal.limit_mb * MIB,
        clock=SYSTEM,
        failsafe=Failsafe(),
        warn=say,
    )
    journal.start()
    journal.append(record_of(failure, rules, journal.next_seq()))
    if where != BAD and journal.flush(LIMIT_S):
        journal.close(SENTRY_S)
        return
    journal.close(0.0)
    say(
        f"the failure of {failure.name} waits in the journal: `otel-guard drain`, or a process of {who.service}, stores it"
    )


def record_of(failure: Failure, rules: Redactor, seq: int) -> ErrorRecord:
    """Its row: of the command only the program, of its output nothing."""
    name = rules.text(failure.name)
    message = f"{name} {_ended(failure.code)}"
    parts = recipe.parts_of_status(ERROR_TYPE, "other", "cron", name, message)
    metadata = {
        "job": failure.name,
        "command": Path(failure.program).name,
        "exit_code": failure.code,
        "duration_s": round(failure.took_s, 3),
    }
    return ErrorRecord(
        id=uuid7(SYSTEM.now_ms()),
        seq=seq,
        error_type=ERROR_TYPE,
        message=message,
        context="other",
        severity="high",
        fingerprint=recipe.fingerprint(parts),
        title=recipe.title(ERROR_TYPE, message),
        parts=parts,
        metadata=rules.mapping(metadata),
        handled=False,
        system="cron",
        operation=name,
    )


def _ended(code: int) -> str:
    if code - OF_SIGNAL in set(signal.Signals):
        return f"was ended by {signal.Signals(code - OF_SIGNAL).name}"
    return f"exited with {code}"


def _redactor(given: Settings) -> Redactor:
    good = [
        rule
        for rule in given.redaction_rules
        if not check_rule(rule.kind, rule.trigger, rule.pattern, SYSTEM.monotonic)
    ]
    return Redactor(allow_keys=given.redaction.allow_keys, deny_keys=given.redaction.deny_keys, rules=good)


def _target(given: Settings, say: Say) -> str | None:
    try:
        return target(given.dsn) if given.dsn is not None else None
    except SettingsError as error:
        say(str(error))
        return BAD


def _sinks(given: Settings, who: Identity, where: str | None, rules: Redactor, say: Say) -> dict[str, SinkSpec]:
    """No alerts, which are the monitor's; no client of the application's own to wait for."""
    specs: dict[str, SinkSpec] = {}
    if where == BAD:
        specs["postgres"] = SinkSpec(UnusableSink(), durable=True)
    elif given.dsn is not None:
        specs["postgres"] = SinkSpec(PostgresSink(given.dsn, clock=SYSTEM, say=say), durable=True)
    sentry_dsn = os.environ.get("SENTRY_DSN")
    if not sentry_dsn or given.sentry == "off" or check_dsn(sentry_dsn) is not None:
        return specs
    sentry = SentrySink(
        dsn=sentry_dsn,
        environment=who.environment,
        release=who.release,
        redactor=rules,
        root_ended=lambda _trace: True,
        clock=SYSTEM,
        say=say,
    )
    return specs | {"sentry": SinkSpec(sentry, durable=given.dsn is None)}
