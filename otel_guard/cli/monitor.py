"""`otel-guard monitor`: rules, alerts, retention; once for cron, or as a daemon."""

import signal
import sys
from typing import Annotated

import typer

from otel_guard.cli._base import emit, needed_dsn, settings
from otel_guard.monitor.building import Built
from otel_guard.monitor.cycle import Done
from otel_guard.monitor.daemon import Daemon
from otel_guard.monitor.once import Once, run_once


def command(
    *,
    once: Annotated[bool, typer.Option("--once", help="One cycle, for cron; takes at most 50 s.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="A line a cycle, though nothing changed.")] = False,
    json: Annotated[bool, typer.Option("--json", help="With --once: one JSON object.")] = False,
) -> None:
    """Judge the rules, open and end incidents, send the alerts, delete what is old, deliver leftover journals.

    From cron: `* * * * * otel-guard monitor --once`. As a daemon it works each 15 s (`monitor.period_s`); of several,
    one leads. Exit 0 whatever fired; 69 if Postgres does not answer.
    """
    given = settings()
    built = Built(given, needed_dsn(given), _say)
    if once:
        _show_once(run_once(built, _say), as_json=json)
        return
    daemon = Daemon(built, _say, lambda done, sent, failed: _show(done, sent, failed, is_verbose=verbose))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: daemon.stop())
    _say(f"watching each {given.monitor.period_s} s; Ctrl-C ends it")
    daemon.run()


def line(done: Done, sent: int, failed: int) -> str:
    """`26 rules, 1 fired, 2 sent, 0.4 s`."""
    parts = [f"{done.rules} rules", f"{done.fired} fired"]
    parts += [f"{done.resolved} resolved"] if done.resolved else []
    parts += [f"{sent} sent"]
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{len(done.failing)} cannot be judged"] if done.failing else []
    return ", ".join([*parts, f"{done.seconds:.1f} s"])


def _show_once(ran: Once, *, as_json: bool) -> None:
    done = ran.done or Done(rules=0, fired=0, resolved=0, seconds=0.0, failing={})
    if as_json:
        emit(
            "monitor",
            {
                "rules": done.rules,
                "fired": done.fired,
                "resolved": done.resolved,
                "sent": ran.sent,
                "failed": ran.failed,
                "seconds": round(done.seconds, 3),
                "leader": ran.leader,
            },
        )
    elif ran.done is None:
        sys.stdout.write(f"another monitor leads: {ran.leader}\n")
    else:
        sys.stdout.write(f"{line(done, ran.sent, ran.failed)}\n")


def _show(done: Done, sent: int, failed: int, *, is_verbose: bool) -> None:
    if is_verbose or done.fired or done.resolved or sent or failed or done.failing:
        _say(line(done, sent, failed))


def _say(text: str) -> None:
    sys.stderr.write(f"otel-guard: {text}\n")
    sys.stderr.flush()
