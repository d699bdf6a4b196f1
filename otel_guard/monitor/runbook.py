"""Runbooks: Markdown with front matter, in the package; a file of the same name in `ops/runbooks/` replaces it."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from msgspec import Struct

SHIPPED: Final = Path(__file__).parent / "runbooks"
OWN: Final = Path("ops") / "runbooks"
STEPS: Final = 3
STEP_LIMIT: Final = 150
_FRONT: Final = re.compile(r"\A---\n(.*?)\n---\n(.*)\Z", re.DOTALL)
_STEP: Final = re.compile(r"^(\d+)\. +(.+)$", re.MULTILINE)
_EVIDENCE: Final = re.compile(r"\{\{\s*evidence\.(\w+)\s*\}\}")
_MARKUP: Final = re.compile(r"\*\*|`")
_STEPS: Final = re.compile(r"^## Steps\s*$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_CODE: Final = re.compile(r"^\s*```.*?^\s*```\s*$", re.MULTILINE | re.DOTALL)


class Runbook(Struct, frozen=True, kw_only=True):
    """One runbook; *text* is Markdown in which `{{evidence.NAME}}` is filled live."""

    id: str
    title: str
    rules: tuple[str, ...]
    severity: str
    owner: str
    text: str
    path: str

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
        return _EVIDENCE.sub(lambda match: found.get(match[1], "not available"), self.text)


def parse(text: str, path: Path) -> Runbook | None:
    """Read one; None if it has no front matter with an id."""
    found = _FRONT.match(text.replace("\r\n", "\n"))
    if found is None:
        return None
    lines = (line.partition(":") for line in found[1].splitlines())
    head = {key.strip(): value.strip().strip("'\"") for key, _, value in lines}
    body = found[2].strip() + "\n"
    if not head.get("id"):
        return None
    heading = next((line.removeprefix("# ").strip() for line in body.splitlines() if line.startswith("# ")), head["id"])
    names = (name.strip(" '\"") for name in head.get("rules", "").strip("[]").split(","))
    return Runbook(
        id=head["id"],
        title=heading,
        rules=tuple(name for name in names if name),
        severity=head.get("severity", ""),
        owner=head.get("owner", ""),
        text=body,
        path=str(path),
    )


def runbooks() -> dict[str, Runbook]:
    """All of them by id, the application's own in place of ours."""
    found = dict(_shipped())
    for path in sorted(OWN.glob("*.md")) if OWN.is_dir() else ():
        if (made := _read(path)) is not None:
            found[made.id] = made
    return dict(sorted(found.items()))


def for_rule(rule: str) -> tuple[str | None, tuple[str, ...]]:
    """Id and first three steps of the runbook that names *rule*; (None, ()) if none does."""
    made = of_rule(rule)
    return (made.id, made.steps[:STEPS]) if made is not None else (None, ())


def of_rule(rule: str) -> Runbook | None:
    """The runbook that names *rule*; the application's own comes before ours."""
    shipped = _shipped()
    named = [each for each in runbooks().values() if rule in each.rules]
    return next(iter(sorted(named, key=lambda each: shipped.get(each.id) == each)), None)


@cache
def _shipped() -> Mapping[str, Runbook]:
    made = (_read(path) for path in sorted(SHIPPED.glob("*.md")))
    return {each.id: each for each in made if each is not None}


def _read(path: Path) -> Runbook | None:
    try:
        return parse(path.read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError):
        return None
