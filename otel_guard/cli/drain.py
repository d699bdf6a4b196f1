"""`otel-guard drain`: deliver the journals that dead processes left behind."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from otel_guard.cli._base import FAILED, USAGE, Problem, console, emit, needed_dsn, plain, settings
from otel_guard.journal.adoption import AdoptionResult, adopt_once
from otel_guard.journal.place import default_dir, folder_name
from otel_guard.journal.pump import SinkSpec
from otel_guard.runtime.clock import SYSTEM
from otel_guard.settings import Settings
from otel_guard.settings.identity import identity
from otel_guard.sinks.postgres import PostgresSink
from otel_guard.sinks.sentry import SentrySink
from otel_guard.store.dsn import target
from otel_guard.store.queries import reading


class Kept:
    """Leaves as it is what was redacted before it was written."""

    def text(self, text: str, /) -> str:
        """Give *text*."""
        return text

    def mapping(self, values: Mapping[str, object], /) -> dict[str, object]:
        """Give *values*."""
        return dict(values)


def command(
    *,
    from_dir: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="A journal folder; else all of this Postgres.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Deliver them now; what a living process holds is its own. Exit 1 if anything is left."""
    given = settings()
    dsn = needed_dsn(given)
    folders = _folders(given, dsn) if from_dir is None else [_existing(from_dir)]
    with reading(dsn):  # away, or without the schema: said at once
        pass
    with _sinks(given, dsn) as sinks:
        results = [adopt_once(folder, sinks, SYSTEM) for folder in folders]
    done = _sum(results)
    if json:
        names = ("journals", "records", "delivered", "quarantined", "dropped", "left")
        emit("drain", {name: getattr(done, name) for name in names})
    else:
        console().print(plain(_line(done)))
    if done.left:
        raise typer.Exit(FAILED)


def _folders(given: Settings, dsn: str) -> list[Path]:
    """Every service's folder of this target."""
    base = Path(given.journal.dir) if given.journal.dir else default_dir(os.environ)
    return sorted(path for path in base.glob(f"*{folder_name('', target(dsn))}") if path.is_dir())


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise Problem(f"{folder} is no folder", "name one that holds journals (*.seg)", USAGE)
    return folder


@contextmanager
def _sinks(given: Settings, dsn: str) -> Iterator[Mapping[str, SinkSpec]]:
    with ExitStack() as stack:
        postgres = stack.enter_context(closing(PostgresSink(dsn, clock=SYSTEM, say=_say)))
        sinks = {"postgres": SinkSpec(sink=postgres, durable=True)}
        sentry_dsn = os.environ.get("SENTRY_DSN")
        if sentry_dsn and given.sentry != "off":
            who = identity(given, os.environ)
            sentry = SentrySink(
                dsn=sentry_dsn,
                environment=who.environment,
                release=who.release,
                redactor=Kept(),
                root_ended=lambda _: True,
                clock=SYSTEM,
                say=_say,
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


def _line(done: AdoptionResult) -> str:
    parts = [f"{done.records} records", f"{done.left} left"]
    parts += [f"{n} {name}" for name, n in (("quarantined", done.quarantined), ("dropped", done.dropped)) if n]
    return ", ".join(parts) + (f": {done.problem}" if done.left and done.problem else "")


def _say(line: str) -> None:
    sys.stderr.write(f"otel-guard: {line}\n")
