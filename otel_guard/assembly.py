"""What the guard is built of: redactor, sinks and journal, made from the settings; what is wrong is a line each."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct
from opentelemetry import metrics, trace

from otel_guard.capture.entrances import Entrances
from otel_guard.core.exceptions import SettingsError
from otel_guard.core.redaction import Redactor, check_rule
from otel_guard.instrumentation import _libraries
from otel_guard.instrumentation._engine import Engine
from otel_guard.journal import place
from otel_guard.journal.journal import Journal
from otel_guard.journal.pump import SinkSpec
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.settings import Settings
from otel_guard.settings.identity import Identity
from otel_guard.sinks.console import ConsoleSink
from otel_guard.sinks.postgres import PostgresSink
from otel_guard.sinks.sentry import SentrySink, check_dsn
from otel_guard.sinks.unusable import UnusableSink
from otel_guard.store import dsn as dsns
from otel_guard.store.heartbeats import Beat

MIB: Final = 1024 * 1024
SENTRY_LAG_S: Final = 24 * 3600.0
BEAT_S: Final = 60.0
SCOPE: Final = "otel_guard"

Say = Callable[[str], None]
Target = str | None


class Sinks(Struct, frozen=True, kw_only=True):
    """The readers of the journal, by the name of their thread and cursor."""

    specs: Mapping[str, SinkSpec]
    postgres: PostgresSink | None
    sentry: SentrySink | None
    target: Target  # host:port/database; "bad": a DSN that is none; None: no DSN


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
    rules: Redactor,
    root_ended: Callable[[str], bool],
    tend: Callable[[], None],
    problems: list[str],
    say: Say,
) -> Sinks:
    """Every sink that the settings ask for; *tend* is called now and then in the thread of Postgres."""
    target, specs = _target(settings, problems), {}
    postgres = None
    if target == "bad":
        specs["postgres"] = SinkSpec(UnusableSink(), durable=True)  # its cursor stays: nothing is deleted
    elif settings.dsn is not None:
        postgres = PostgresSink(dsns.normalise(settings.dsn), clock=SYSTEM, say=say)
        specs["postgres"] = SinkSpec(postgres, durable=True, tend=tend)
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
    return Sinks(specs=specs, postgres=postgres, sentry=sentry, target=target)


def journal(settings: Settings, who: Identity, made: Sinks, failsafe: Failsafe, warn: Say) -> Journal:
    """The queue; in memory only where there is neither Postgres nor Sentry."""
    folder = None
    if made.target is not None or made.sentry is not None:
        base = Path(settings.journal.dir) if settings.journal.dir else place.default_dir(os.environ)
        folder = base / place.folder_name(who.service, made.target)
    return Journal(
        folder,
        service=who.service,
        environment=who.environment,
        release=who.release,
        host=who.host,
        sinks=made.specs,
        limit_bytes=settings.journal.limit_mb * MIB,
        clock=SYSTEM,
        failsafe=failsafe,
        warn=warn,
    )


def engine(settings: Settings, entrances: Entrances, failsafe: Failsafe) -> Engine:
    """The engine of all instrumentations, on the providers that are set now."""
    return Engine(
        trace.get_tracer(SCOPE),
        metrics.get_meter(SCOPE),
        failsafe,
        handover=entrances.handover,
        unhandled=entrances.unhandled,
        user=entrances.set_user,
        http_children=settings.instrument.http_children,
        opt_in=frozenset(settings.capture.opt_in),
    )


def watch_libraries(settings: Settings, made: Engine) -> list[str]:
    """Watch what is loaded or will be; names in the settings that are no library of ours."""
    group = settings.instrument
    said = _libraries.install(made, off=frozenset(group.off), on=frozenset(group.on))
    return [status.name for status in said if status.status == "unknown"]


class Beats:
    """This process's row of `heartbeats`, each 60 s."""

    def __init__(self, who: Identity) -> None:
        self._who = who
        self._at = -BEAT_S

    def tend(self, sink: PostgresSink, queue: Journal) -> None:
        """Let the sink see to its connection, and write the row when it is due."""
        sink.tend()
        now = SYSTEM.monotonic()
        if now - self._at >= BEAT_S:
            self._at = now
            sink.beat(_beat(self._who, queue))


def _beat(who: Identity, queue: Journal) -> Beat:
    stats = queue.stats()
    return Beat(
        name=who.service,
        instance=f"{who.host}:{os.getpid()}",
        service=who.service,
        environment=who.environment,
        period_s=BEAT_S,
        detail={
            "journal_bytes": stats.bytes,
            "oldest_s": round(stats.oldest_s, 1),
            "dropped": sum(stats.dropped.values()),
            "quarantined": stats.quarantined,
            "memory_mode": stats.memory_mode,
            "durable": stats.durable,
        },
    )


def _target(settings: Settings, problems: list[str]) -> Target:
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
