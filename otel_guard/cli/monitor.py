"""`otel-guard monitor`: rules, alerts, retention; once for cron, or as a daemon."""

import signal
import sys
from collections.abc import Callable, Mapping
from typing import Annotated

import typer

from otel_guard.cli._base import USAGE, Problem, emit, needed_dsn, settings
from otel_guard.monitor.building import Built
from otel_guard.monitor.cycle import Done
from otel_guard.monitor.daemon import Daemon
from otel_guard.monitor.once import Once, run_once
from otel_guard.runtime.suppression import sending


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
    if json and not once:
        raise Problem("--json is for one cycle", "write otel-guard monitor --once --json", USAGE)
    given = settings()
    with sending():
        built = Built(given, needed_dsn(given), _say)
        if once:
            _on_signals(_leave)
            _show_once(run_once(built, _say), as_json=json)
            return
        daemon = Daemon(built, _say, Progress(is_verbose=verbose))
        _on_signals(lambda _number: daemon.stop())
        _say(f"{len(built.plan.rules)} rules, a cycle each {given.monitor.period_s} s; Ctrl-C ends it")
        daemon.run()
        _say("ended")


class Progress:
    """Shows a cycle in which something changed."""

    def __init__(self, *, is_verbose: bool) -> None:
        self._is_verbose = is_verbose
        self._failing: Mapping[str, str] = {}

    def __call__(self, done: Done, sent: int, failed: int) -> None:
        """One line, and one for each rule that can no longer be judged."""
        if (
            self._is_verbose
            or done.fired
            or done.resolved
            or sent
            or failed
            or done.failing.keys() != self._failing.keys()
        ):
            _say(line(done, sent, failed))
        for name in sorted(done.failing.keys() - self._failing.keys()):
            _say(f"the rule {name} cannot be judged: {done.failing[name]}")
        self._failing = done.failing


def line(done: Done, sent: int, failed: int) -> str:
    """`26 rules, 1 fired, 2 sent, 0.4 s`."""
    parts = [f"{done.rules} rules", f"{done.fired} fired"]
    parts += [f"{done.resolved} resolved"] if done.resolved else []
    parts += [f"{sent} sent"]
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{len(done.failing)} not judged"] if done.failing else []
    return ", ".join([*parts, f"{done.seconds:.1f} s"])


def _show_once(ran: Once, *, as_json: bool) -> None:
    done = ran.done or Done()
    if as_json:
        names = ("rules", "fired", "resolved")
        body: dict[str, object] = {name: getattr(done, name) for name in names}
        emit(
            "monitor",
            body | {"sent": ran.sent, "failed": ran.failed, "seconds": round(done.seconds, 3), "leader": ran.leader},
        )
    elif ran.done is None:
        sys.stdout.write(f"another monitor leads: {ran.leader}\n")
    else:
        sys.stdout.write(f"{line(done, ran.sent, ran.failed)}\n")


def _on_signals(act: Callable[[int], None]) -> None:
    """The first signal lets it end in order, a second one ends it."""

    def heard(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        act(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, heard)


def _leave(number: int) -> None:
    """The lease is given back on the way out."""
    raise SystemExit(128 + number)


def _say(text: str) -> None:
    sys.stderr.write(f"otel-guard: {text}\n")
    sys.stderr.flush()
