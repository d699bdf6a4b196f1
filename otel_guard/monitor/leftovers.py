"""Journals that dead processes left behind, delivered."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from otel_guard.core.redaction import Redactor
from otel_guard.journal.adoption import AdoptionResult, adopt_once
from otel_guard.journal.place import default_dir, folder_name
from otel_guard.journal.pump import SinkSpec
from otel_guard.runtime.clock import SYSTEM
from otel_guard.settings import Settings
from otel_guard.settings.identity import identity
from otel_guard.sinks.postgres import PostgresSink
from otel_guard.sinks.sentry import SentrySink
from otel_guard.store.dsn import target

Say = Callable[[str], None]


def deliver(
    given: Settings, dsn: str, folders: Iterable[Path], say: Say, *, deadline_s: float = 60.0
) -> AdoptionResult:
    """Deliver what is in *folders* now; what a living process holds is its own."""
    with _sinks(given, dsn, say) as sinks:
        return _sum([adopt_once(folder, sinks, SYSTEM, deadline_s=deadline_s) for folder in folders])


def folders(given: Settings, dsn: str) -> list[Path]:
    """Every service's folder of this target."""
    base = Path(given.journal.dir) if given.journal.dir else default_dir(os.environ)
    return sorted(path for path in base.glob(f"*{folder_name('', target(dsn))}") if path.is_dir())


@contextmanager
def _sinks(given: Settings, dsn: str, say: Say) -> Iterator[Mapping[str, SinkSpec]]:
    with ExitStack() as stack:
        postgres = stack.enter_context(closing(PostgresSink(dsn, clock=SYSTEM, say=say)))
        sinks = {"postgres": SinkSpec(sink=postgres, durable=True)}
        sentry_dsn = os.environ.get("SENTRY_DSN")
        if sentry_dsn and given.sentry != "off":
            who = identity(given, os.environ)
            sentry = SentrySink(
                dsn=sentry_dsn,
                environment=who.environment,
                release=who.release,
                redactor=Redactor(allow_keys=given.redaction.allow_keys, deny_keys=given.redaction.deny_keys),
                root_ended=lambda _: True,
                clock=SYSTEM,
                say=say,
            )
            sinks["sentry"] = SinkSpec(sink=stack.enter_context(closing(sentry)), durable=False)
        yield sinks


def _sum(results: list[AdoptionResult]) -> AdoptionResult:
    return AdoptionResult(
        journals=sum(result.journals for result in results),
        records=sum(result.records for result in results),
        delivered=sum(result.delivered for result in results),
        quarantined=sum(result.quarantined for result in results),
        dropped=sum(result.dropped for result in results),
        left=sum(result.left for result in results),
        problem=next((result.problem for result in results if result.problem), None),
    )
