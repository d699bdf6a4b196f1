"""`otel-guard heartbeat NAME -- CMD`: run a job; when it stops running, or fails, somebody hears of it."""

import os
import sys
import threading
from typing import Annotated, Final

import typer
from msgspec.structs import replace

from otel_guard.cli._base import FAILED, USAGE, Problem, console, emit, needed_dsn, plain, seconds_of, settings
from otel_guard.cli._job_failure import LIMIT_S, Failure, record
from otel_guard.core.duration import shown
from otel_guard.core.exceptions import OtelGuardError, StoreUnavailableError
from otel_guard.runtime.child import NotStartedError, run
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.suppression import sending
from otel_guard.settings import Settings
from otel_guard.settings.identity import Identity, identity
from otel_guard.store import dsn as dsns
from otel_guard.store import jobs_beats
from otel_guard.store.jobs_beats import JobBeat
from otel_guard.store.lane import Lane

RETRY_S: Final = 0.5


def command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The job's, always the same.")],
    cmd: Annotated[
        list[str] | None, typer.Argument(metavar="[-- CMD]", help="What to run; without it NAME has just run well.")
    ] = None,
    *,
    every: Annotated[
        str | None, typer.Option(help="How often it runs: 10m, 24h; else as stored, 24h at first.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="End the watch over NAME.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object; not with CMD.")] = False,
) -> None:
    """Run CMD; if it exits with 0 that is a beat, else a record. Output, signals, exit code are CMD's own."""
    period_s = _period_s(every)
    if not name.strip() or (cmd and (remove or json)):
        raise Problem("heartbeat takes a NAME, and with CMD no other option than --every", "see --help", USAGE)
    given = settings()
    who = identity(given, os.environ)
    beat = JobBeat(name=name.strip(), service=who.service, environment=who.environment, period_s=period_s)
    if cmd:
        raise typer.Exit(_job(cmd, beat, given, who))
    lane = Lane(needed_dsn(given), SYSTEM)
    if remove:
        _remove(lane, beat, as_json=json)
    else:
        _beat(lane, beat, as_json=json)


def _period_s(every: str | None) -> float | None:
    period_s = None if every is None else seconds_of(every)
    if period_s == 0:
        raise Problem(f"--every {every} is no time", "write how often the job runs, such as 24h", USAGE)
    return period_s


def _beat(lane: Lane, beat: JobBeat, *, as_json: bool) -> None:
    with sending(), lane.transaction() as database:
        jobs_beats.write(database, beat)
        row = jobs_beats.stored(database, beat.name, beat.service, beat.environment)
    if as_json:
        emit("heartbeat", {"heartbeat": row})
    elif row is not None:
        console().print(plain(f"{row['name']} beat, every {shown(row['period_s'])}"))


def _remove(lane: Lane, beat: JobBeat, *, as_json: bool) -> None:
    with sending(), lane.transaction() as database:
        row = jobs_beats.stored(database, beat.name, beat.service, beat.environment)
        is_removed = jobs_beats.remove(database, beat.name, beat.service, beat.environment)
    if not is_removed:
        where = f"{beat.service}/{beat.environment}"
        raise Problem(
            f"there is no heartbeat {beat.name!r} of {where}", "set OTEL_SERVICE_NAME to the service of its job", FAILED
        )
    if as_json:
        emit("heartbeat", {"heartbeat": row})
    else:
        console().print(plain(f"{beat.name} is no longer watched"))


def _job(cmd: list[str], beat: JobBeat, given: Settings, who: Identity) -> int:
    """Run it and tell of it; whatever goes wrong with the telling, the exit code is the job's."""
    began = SYSTEM.monotonic()
    try:
        code = run(cmd)
    except NotStartedError as error:
        _say(str(error))
        code = error.code
    if not given.enabled:
        return code
    took_s = SYSTEM.monotonic() - began
    try:
        if code == 0:
            _beat_or_say(given.dsn, replace(beat, duration_s=took_s))
        else:
            record(Failure(name=beat.name, program=cmd[0], code=code, took_s=took_s), given, who, _say)
    except Exception as error:  # the job's exit code matters more
        _say(str(error) if isinstance(error, OtelGuardError) else f"not told ({type(error).__name__})")
    return code


def _beat_or_say(dsn: str | None, beat: JobBeat) -> None:
    """Write the beat within 10 s; a frozen server must not hold the job."""
    if dsn is None:
        _say(f"OTEL_GUARD_DSN is not set: nobody knows that {beat.name} ran")
        return
    lane, troubles = Lane(dsn, SYSTEM), list[str]()
    writing = threading.Thread(target=_write, args=(lane, beat, troubles), daemon=True, name="otel-guard-heartbeat")
    writing.start()
    writing.join(LIMIT_S)
    if writing.is_alive():
        troubles.append(f"Postgres ({dsns.target(dsn)}) did not answer within {LIMIT_S:g} s")
    if troubles:
        _say(f"{beat.name} ran, but that is not stored: {troubles[-1]}")


def _write(lane: Lane, beat: JobBeat, troubles: list[str]) -> None:
    ended = SYSTEM.monotonic()
    with sending():
        while True:
            try:
                with lane.transaction() as database:
                    jobs_beats.write(database, replace(beat, age_s=SYSTEM.monotonic() - ended))
            except StoreUnavailableError as error:
                if SYSTEM.monotonic() - ended + RETRY_S >= LIMIT_S:
                    troubles.append(str(error))
                    return
                SYSTEM.sleep(RETRY_S)
            except Exception as error:  # said by who waits
                troubles.append(str(error) or type(error).__name__)
                return
            else:
                return


def _say(line: str) -> None:
    sys.stderr.write(f"otel-guard: {line}\n")
