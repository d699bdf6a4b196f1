"""All rules that hold: the built-in ones with the user's changes, then the user's own."""

from typing import Final

from msgspec import Struct

from otel_guard.core.rule import Rule
from otel_guard.core.rules_builtin import RULES
from otel_guard.settings.rules_changed import changed
from otel_guard.settings.rules_own import own_rule
from otel_guard.settings.table import NAME, Table, near, shown_key, tables
from otel_guard.settings.tree import Settings

_BUILTIN: Final = {rule.name: rule for rule in RULES}


class Rules(Struct, frozen=True, kw_only=True):
    """The rules, a line `path: what; cure` for each thing that is wrong, and the user's rules that are off for it."""

    rules: tuple[Rule, ...]
    problems: tuple[str, ...]
    off: tuple[str, ...] = ()


def rules(settings: Settings) -> Rules:
    """Read `[rule.*]`: a bad change leaves its built-in as it is, a bad rule of the user is off; never raises."""
    problems: list[str] = []
    off: list[str] = []
    found = dict(_BUILTIN)
    for name, values in tables(settings.tables, "rule", problems).items():
        table = Table(f"rule.{name}", values)
        made = changed(_BUILTIN[name], table) if name in _BUILTIN else _own(name, table, problems)
        problems += table.problems
        if made is not None and not table.problems:
            found[name] = made
        elif name not in _BUILTIN:
            off.append(name)
    return Rules(rules=tuple(found.values()), problems=tuple(problems), off=tuple(off))


def _own(name: str, table: Table, problems: list[str]) -> Rule | None:
    if not NAME.fullmatch(name):
        problems.append(f"rule.{shown_key(name)}: not a name; write letters, digits, _ and -, at most 64")
        return None
    meant = near(name, _BUILTIN)
    if meant is None or {"source", "query"} & set(table.values):
        return own_rule(name, table)
    problems.append(f'rule.{name}: no built-in has this name, and it has no source; did you mean "{meant}"?')
    return None
