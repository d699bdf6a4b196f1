"""Runbooks: Markdown with front matter, in the package; a file of the same name in `ops/runbooks/` replaces it."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

SHIPPED: Final = Path(__file__).parent / "runbooks"
OWN: Final = Path("ops") / "runbooks"  # in the working folder
STEPS: Final = 3
STEP_LIMIT: Final = 150
_FRONT: Final = re.compile(r"\A---\n(.*?)\n---\n(.*)\Z", re.DOTALL)
_STEP: Final = re.compile(r"^(\d+)\. +(.+)$", re.MULTILINE)
_EVIDENCE: Final = re.compile(r"\{\{\s*evidence\.(\w+)\s*\}\}")
_VALUE: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_MARKUP: Final = re.compile(r"\*\*|`")
_KEYS: Final = frozenset({"id", "rules", "severity", "owner"})
_STEPS: Final = re.compile(r"^## Steps\s*$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_CODE: Final = re.compile(r"^\s*```.*?^\s*```\s*$", re.MULTILINE | re.DOTALL)


class Runbook(Struct, frozen=True, kw_only=True):
    """One runbook; *text* is Markdown in which `{{evidence.NAME}}` is filled live, `{{NAME}}` by its front matter."""

    id: str
    title: str
    rules: tuple[str, ...]
    severity: str
    owner: str
    text: str
    path: str
    values: Mapping[str, str] = {}  # further keys of the front matter, such as rollback_command

    @property
    def steps(self) -> tuple[str, ...]:
        """The numbered steps below `## Steps`, a line each, without markup; what is indented below one explains it."""
        found = _STEPS.search(self.text)
        numbered = _STEP.findall(_CODE.sub("", found[1])) if found is not None else []
        return tuple(f"{number}. {_MARKUP.sub('', step)}".strip()[:STEP_LIMIT] for number, step in numbered)

    @property
    def evidence(self) -> tuple[str, ...]:
        """The names that are to be filled, each once."""
        return tuple(dict.fromkeys(_EVIDENCE.findall(self.text)))

    def filled(self, found: Mapping[str, str]) -> str:
        """The text with its evidence; what is missing reads "not available"."""
        return _EVIDENCE.sub(lambda match: found.get(match[1], "not available"), self._valued())

    def _valued(self) -> str:
        return _VALUE.sub(lambda match: self.values.get(match[1]) or self._unset(match[1]), self.text)

    def _unset(self, name: str) -> str:
        return f"# yours: write {name}: … into ops/runbooks/{self.id}.md"


def parse(text: str, path: Path) -> Runbook | None:
    """Read one; None if it has no front matter with an id."""
    found = _FRONT.match(text.lstrip("\ufeff").replace("\r\n", "\n"))
    if found is None:
        return None
    head = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in found[1].splitlines())}
    body = found[2].strip()
    if not head.get("id"):
        return None
    heading = next((line.removeprefix("# ").strip() for line in body.splitlines() if line.startswith("# ")), head["id"])
    names = (name.strip() for name in head.get("rules", "").strip("[]").split(","))
    return Runbook(
        id=head["id"],
        title=heading,
        rules=tuple(name for name in names if name),
        severity=head.get("severity", ""),
        owner=head.get("owner", ""),
        text=f"{body}\n" if body else "",
        path=str(path),
        values={key: value for key, value in head.items() if key and key not in _KEYS},
    )


def runbooks() -> dict[str, Runbook]:
    """All of them by id, the application's own in place of ours."""
    found = dict(_shipped())
    for own in _own():
        found[own.id] = _over(own, found.get(own.id))
    return dict(sorted(found.items()))


def for_rule(rule: str) -> tuple[str | None, tuple[str, ...]]:
    """Id and first three steps of the runbook that names *rule*, the application's own first; (None, ()) if none does."""
    everything = runbooks()
    order = (*(own.id for own in _own()), *everything)
    made = next((everything[name] for name in order if rule in everything[name].rules), None)
    return (made.id, made.steps[:STEPS]) if made is not None else (None, ())


def _own() -> list[Runbook]:
    try:
        paths = sorted(OWN.glob("*.md"))
    except OSError:
        return []
    return [made for path in paths if (made := _read(path)) is not None]


def _over(own: Runbook, shipped: Runbook | None) -> Runbook:
    """What *own* does not say is as in ours: a file of front matter alone only sets values."""
    if shipped is None:
        return own
    return replace(
        own,
        title=own.title if own.text else shipped.title,
        rules=own.rules or shipped.rules,
        severity=own.severity or shipped.severity,
        owner=own.owner or shipped.owner,
        text=own.text or shipped.text,
        values={**shipped.values, **own.values},
    )


@cache
def _shipped() -> Mapping[str, Runbook]:
    made = (_read(path) for path in sorted(SHIPPED.glob("*.md")))
    return {each.id: each for each in made if each is not None}


def _read(path: Path) -> Runbook | None:
    try:
        return parse(path.read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError):
        return None
