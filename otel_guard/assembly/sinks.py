"""Redactor and sinks."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from otel_guard.assembly.alerting import Alerting
from otel_guard.core.exceptions import SettingsError
from otel_guard.core.redaction import Redactor, check_rule
from otel_guard.journal.pump import SinkSpec
from otel_guard.runtime.clock import SYSTEM
from otel_guard.settings import Settings
from otel_guard.settings.identity import Identity
from otel_guard.sinks.console import ConsoleSink
from otel_guard.sinks.postgres import PostgresSink
from otel_guard.sinks.sentry import SentrySink, check_dsn
from otel_guard.sinks.unusable import UnusableSink
from otel_guard.store import dsn as dsns

SENTRY_LAG_S: Final = 24 * 3600.0
ALERTS_LAG_S: Final = 3600.0
ALERTS_LINGER_S: Final = 0.02

Say = Callable[[str], None]


class Sinks(Struct, frozen=True, kw_only=True):
    """The readers of the journal, by the name of their thread and cursor."""

    specs: Mapping[str, SinkSpec]
    postgres: PostgresSink | None
    sentry: SentrySink | None


def redactor(settings: Settings, problems: list[str]) -> Redactor:
    """The rules, the user's own among them; a bad one is refused, the rest holds."""
    rules = []
    for number, rule in enumerate(settings.redaction_rules):
        if why := check_rule(rule.kind, rule.trigger, rule.pattern, SYSTEM.monotonic):
            problems.append(f"redaction.rule[{number}]: {why}; the rule is ignored, the others hold")
        else:
            rules.append(rule)
    group = settings.redaction
    return Redactor(allow_keys=group.allow_keys, deny_keys=group.deny_keys, rules=rules)


def sinks(
    settings: Settings,
    who: Identity,
    target: str | None,
    rules: Redactor,
    alerting: Alerting,
    root_ended: Callable[[str], bool],
    tend: Callable[[], None],
    problems: list[str],
    say: Say,
) -> Sinks:
    """Every sink that the settings ask for; *tend* is called now and then in the thread of Postgres."""
    specs: dict[str, SinkSpec] = {}
    postgres = None
    if target == "bad":
        specs["postgres"] = SinkSpec(UnusableSink(), durable=True)  # its cursor stays: nothing is deleted
    elif settings.dsn is not None:
        postgres = PostgresSink(dsns.normalise(settings.dsn), clock=SYSTEM, say=say)
        specs["postgres"] = SinkSpec(postgres, durable=True, tend=tend)
        path = alerting.path = alerting.fast_path(postgres.lane)
        specs["alerts"] = SinkSpec(
            path, durable=False, max_lag_s=ALERTS_LAG_S, tend=path.tend, linger_s=ALERTS_LINGER_S
        )
    sentry_dsn = _sentry_dsn(settings, problems)
    sentry = None
    # With Postgres there, the application's own client is waited for: it may be made after us.
    if sentry_dsn is not None or (settings.sentry == "auto" and settings.dsn is not None):
        sentry = SentrySink(
            dsn=sentry_dsn,
            environment=who.environment,
            release=who.release,
            redactor=rules,
            root_ended=root_ended,
            clock=SYSTEM,
            say=say,
            root=str(Path.cwd()),
        )
        specs["sentry"] = SinkSpec(sentry, durable=settings.dsn is None, max_lag_s=SENTRY_LAG_S)
    is_alone = not specs and settings.dsn is None
    if settings.console == "on" or (settings.console == "auto" and is_alone):
        specs["console"] = SinkSpec(ConsoleSink(sys.stderr), durable=is_alone)
    if is_alone:
        where = "the console only" if "console" in specs else "memory only"
        problems.append(f"neither OTEL_GUARD_DSN nor SENTRY_DSN is set: records go to {where} and are not stored")
    return Sinks(specs=specs, postgres=postgres, sentry=sentry)


def target_of(settings: Settings, problems: list[str]) -> str | None:
    """`host:port/database`; "bad": a DSN that is none; None: no DSN."""
    if settings.dsn is None:
        return None
    try:
        return dsns.target(settings.dsn)
    except SettingsError as error:
        problems.append(f"{error}; until then records wait in the journal")
        return "bad"


def _sentry_dsn(settings: Settings, problems: list[str]) -> str | None:
    given = os.environ.get("SENTRY_DSN", "")
    if settings.sentry == "off" or not given:
        return None
    if why := check_dsn(given):
        problems.append(why)
        return None
    return given
