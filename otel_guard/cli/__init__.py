"""The command line: one file a command, loaded when it is asked for."""

import difflib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from types import ModuleType
from typing import Final

from otel_guard.cli._base import FAILED, USAGE, Problem, problem_of, show_problem
from otel_guard.core.exceptions import OtelGuardError

# Name, and what it does; a file cli/<name>.py with `command(...)` each.
COMMANDS: Final[dict[str, str]] = {
    "run": "Start an application with every call watched: run -- CMD",
    "migrate": "Create or update the schema otel_guard in your Postgres",
    "errors": "What failed: groups; one error in full; the errors of a trace",
    "slow": "The slow queries and calls",
    "status": "Incidents, switches, monitor and processes at a glance",
    "health": "The health of the fleet, dependency by dependency",
    "monitor": "Judge the rules and send the alerts: once (cron) or as a daemon",
    "rules": "The rules and channels that hold; `rules check` for CI",
    "alerts": "The open incidents",
    "ack": "Acknowledge an incident: somebody is at it",
    "resolve": "End an incident by hand",
    "note": "Write down the cause of an incident and what was done",
    "silence": "Hold messages back for a while",
    "incident": "Open an incident by hand: incident open TITLE",
    "test-alert": "Send a real message to a channel",
    "dashboard": "Serve the pages: the acknowledge links so far",
    "metrics": "Webhook times, email delivery, queries and calls in figures",
    "deploy": "Record a deployment",
    "report": "The weekly error review",
    "runbook": "What to do, with live evidence",
    "heartbeat": "Run a job that is missed when it stops: heartbeat NAME -- CMD",
    "drain": "Deliver the journals that dead processes left behind",
    "doctor": "Try every library and all that records go to; what to mend",
    "demo": "See it all at work: a shop, faults, and where each of them shows",
}
INTRODUCTION: Final = "Every failed call of your application, once in your Postgres and in Sentry."
CLOSING: Final = """\
OTEL_GUARD_DSN names your Postgres: postgresql://user@host:5432/database
`otel-guard COMMAND --help` says more; most commands take --json.
Exit codes: 0 fine, 1 problem found, 2 usage or configuration, 69 Postgres away."""


def main() -> None:
    """Run the command that the arguments ask for; never shows a traceback, unless OTEL_GUARD_STRICT=1."""
    sys.exit(execute(sys.argv[1:]))


def execute(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    name = arguments[0] if arguments else ""
    if name in ("", "-h", "--help"):
        sys.stdout.write(help_text())
        return 0 if name else USAGE
    if name == "--version":
        sys.stdout.write(f"otel-guard {version('otel-guard')}\n")
        return 0
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    try:
        return _run(name, arguments[1:])
    except Exception as error:
        if os.environ.get("OTEL_GUARD_STRICT") == "1" and not isinstance(error, OtelGuardError | Problem):
            raise
        return show_problem(problem_of(error), as_json="--json" in own)


def help_text() -> str:
    """The commands at a glance, at most 80 columns wide."""
    rows = (f"  {name:<12}{does}" for name, does in COMMANDS.items() if _is_there(name))
    return "\n".join((f"otel-guard {version('otel-guard')}", INTRODUCTION, "", "Commands:", *rows, "", CLOSING, ""))


def _run(name: str, rest: Sequence[str]) -> int:
    if name not in COMMANDS or not _is_there(name):
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        raise Problem(f"otel-guard has no command {name!r}{meant}", "see `otel-guard --help`", USAGE)
    typer = import_module("typer")  # a quarter of the start-up time, not needed for help
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    module: ModuleType = import_module(f"otel_guard.cli.{_module(name)}")
    settings = getattr(module, "CONTEXT_SETTINGS", None)
    app.command(name, help=COMMANDS[name], context_settings=settings)(module.command)
    try:
        app(args=list(rest), prog_name=f"otel-guard {name}")
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else FAILED * (done.code is not None)
    return 0


def _is_there(name: str) -> bool:
    return find_spec(f"otel_guard.cli.{_module(name)}") is not None


def _module(name: str) -> str:
    return name.replace("-", "_")
