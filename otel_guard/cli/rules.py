"""`otel-guard rules`: the rules that hold, and what is wrong with otel_guard.toml."""

import os
import re
import sys
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from msgspec import Struct
from rich.console import Console
from rich.table import Table
from rich.text import Text

from otel_guard.cli._base import USAGE, Problem, console, emit, plain, severity, table
from otel_guard.core.duration import shown
from otel_guard.core.rule import Rule
from otel_guard.core.rule_words import clears, severities, words
from otel_guard.core.rules_builtin import NEEDS_LIMIT
from otel_guard.settings import load
from otel_guard.settings.alerting import Alerting, alerting
from otel_guard.settings.checks import checks
from otel_guard.settings.loading import FILE_NAME
from otel_guard.settings.rules import Rules, rules

WORDS: Final = ("check", "list")
_WIDE: Final = 120  # columns from which each fact has its own
_VARIABLE: Final = re.compile(r"[A-Z_]+: ")


class Read(Struct, frozen=True):
    """All that the file says of rules and channels; *problems* and *notes* are pairs of where and what."""

    rules: Rules
    alerting: Alerting
    problems: list[tuple[str, str]]
    notes: list[tuple[str, str]]  # a variable that is not set here: no fault of the file


def command(
    what: Annotated[str, typer.Argument(metavar="[list|check]", help="The table, or only what is wrong.")] = "list",
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show all rules; with `check` say all that is wrong in the file at once, exit code 2 if anything is."""
    if what not in WORDS:
        raise Problem(
            f"otel-guard rules has no {what!r}", "write `otel-guard rules` or `otel-guard rules check`", USAGE
        )
    found = read()
    if json:
        emit("rules", _body(found))
    elif what == "check":
        _check(console(), found)
    else:
        _list(console(), found)
    if what == "check" and found.problems:
        raise typer.Exit(USAGE)


def read() -> Read:
    """Read the file; what is wrong with the environment is a line each on stderr, as in the other commands."""
    file = str(Path(os.environ.get("OTEL_GUARD_CONFIG") or FILE_NAME))
    loaded = load({"strict": False})  # strict would stop at the first problem
    problems = []
    for line in loaded.problems:
        if line.startswith((f"{file} ", f"{file}: ", "OTEL_GUARD_CONFIG ")):
            problems.append((file, line.removeprefix(file).lstrip(": ")))
        else:
            sys.stderr.write(f"otel-guard: {line}\n")
    of_rules, of_channels = rules(loaded.settings), alerting(loaded.settings, os.environ)
    of_checks = checks(loaded.settings, os.environ)
    unset = {*of_channels.unset, *of_checks.unset}
    lines = [
        ("environment" if _VARIABLE.match(line) else file, line)
        for line in (*of_rules.problems, *of_channels.problems, *of_checks.problems)
    ]
    problems += [line for line in lines if line[1] not in unset]
    return Read(of_rules, of_channels, problems, [line for line in lines if line[1] in unset])


def summary(found: Read) -> str:
    """Say how it stands: `ok: 26 rules, 2 channels`, or how many problems and what runs all the same."""
    # A built-in that waits for its limit is not off: nobody turned it off, and it is in nobody's way.
    off = len(found.rules.off) + sum(not _is_on(rule) for rule in found.rules.rules)
    running = len(found.rules.rules) + len(found.rules.off) - off
    is_off = f"{_count(off, 'rule')} {'is' if off == 1 else 'are'} off"
    if found.problems:
        return f"{_count(len(found.problems), 'problem')}. {is_off + ', ' if off else ''}{_count(running, 'rule')} run{'s' * (running == 1)}."
    channels = len(found.alerting.channels) + len(found.alerting.off)
    text = f"ok: {_count(running, 'rule')}, {_count(channels, 'channel')}"
    return text + (f" ({is_off})" if off else "")


def _check(out: Console, found: Read) -> None:
    lines = [*found.problems, *found.notes]
    if out.is_terminal:
        grid = Table.grid(padding=(0, 2, 0, 0))
        for where, what in lines:
            grid.add_row(plain(where, "dim"), plain(what))
        out.print(grid)
    else:
        width = max((len(where) for where, _ in lines), default=0)
        sys.stdout.writelines(f"{where:<{width}}  {what}\n" for where, what in lines)
    out.print(plain(summary(found)), soft_wrap=True)
    if not found.problems and not found.alerting.channels and not found.alerting.off:
        out.print(plain("no channel: set SLACK_WEBHOOK_URL, or write [channel.NAME]", "dim"))


def _list(out: Console, found: Read) -> None:
    is_wide = out.width >= _WIDE
    own = [rule for rule in found.rules.rules if not rule.is_builtin]
    made = table(
        *(("rule", "fires", "for", "clears", "severity", "", "") if is_wide else ("rule", "fires", "severity", ""))
    )
    for rule in found.rules.rules:
        made.add_row(*(_wide(rule) if is_wide else _narrow(rule)))
    for name in found.rules.off:
        cells = [
            plain(name),
            plain("it has problems", "red"),
            *[plain("")] * (3 if is_wide else 1),
            plain("off", "red"),
        ]
        made.add_row(*cells, *([plain("own")] if is_wide else []))
    out.print(made)
    out.print()
    out.print(
        plain(
            f"{_count(len(found.rules.rules), 'rule')}, {len(own)} of them your own · docs/rules.md says how to change them",
            "dim",
        )
    )
    if found.problems:
        out.print(plain(f"{_count(len(found.problems), 'problem')}: otel-guard rules check shows what to do", "red"))


def _wide(rule: Rule) -> list[Text]:
    lasting = shown(rule.for_s) if rule.for_s else ""
    return [
        plain(rule.name),
        plain(words(rule)),
        plain(lasting),
        plain(clears(rule)),
        severity(rule.severity) + plain(severities(rule).removeprefix(rule.severity), "dim"),
        _state(rule),
        plain("built in" if rule.is_builtin else "own", "dim"),
    ]


def _narrow(rule: Rule) -> list[Text]:
    facts = [f"for {shown(rule.for_s)}"] * bool(rule.for_s) + [f"clears: {clears(rule)}"] * bool(clears(rule))
    fires = plain(words(rule)) + plain("\n" + "; ".join(facts), "dim") if facts else plain(words(rule))
    name = plain(rule.name) + plain("" if rule.is_builtin else "\nown", "dim")
    return [name, fires, severity(rule.severity), _state(rule)]


def _state(rule: Rule) -> Text:
    return plain("on" if rule.is_enabled else "off", "" if rule.is_enabled else "yellow")


def _is_on(rule: Rule) -> bool:
    return rule.is_enabled or (rule.name in NEEDS_LIMIT and rule.above is None and rule.below is None)


def _body(found: Read) -> dict[str, object]:
    return {
        "rules": [
            {**msgspec.to_builtins(rule), "fires": words(rule), "clears": clears(rule)} for rule in found.rules.rules
        ],
        "off": list(found.rules.off),
        "channels": [
            *({"name": each.name, "type": each.type, "is_on": True} for each in found.alerting.channels),
            *({"name": name, "type": None, "is_on": False} for name in found.alerting.off),
        ],
        "problems": [{"file": where, "problem": what} for where, what in found.problems],
        "notes": [{"file": where, "problem": what} for where, what in found.notes],
    }


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'s' * (n != 1)}"
