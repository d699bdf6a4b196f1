"""Reads one table of the file key by key, and collects all that is wrong with it, each with its cure."""

import difflib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar, cast
from urllib.parse import urlsplit

from otel_guard.core.duration import seconds

NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
LONGEST_S: Final = 90 * 86400.0  # about as long as errors are kept
_MOST_SHOWN: Final = 40
# What may be repeated in a message of what stands in place of a variable's name: a pasted secret looks different.
_VARIABLE: Final = re.compile(r"[A-Z]{1,20}|[A-Z][A-Z0-9]{0,20}(_[A-Z0-9]{1,20}){1,5}", re.ASCII)
_WORD: Final = re.compile(r"[A-Za-z_]{1,16}", re.ASCII)
Choice = TypeVar("Choice", bound=str)


class Table:
    """One table at *path*; a key that is absent or wrong reads as None, what is wrong is kept in the file's order."""

    def __init__(self, path: str, values: Mapping[str, object], *, is_secret: bool = False) -> None:
        self.path = path
        self.values = values
        self.is_secret = is_secret  # its values are not repeated in problems
        self.unset: list[str] = []  # those of the problems that are the environment's, not the file's
        self._problems: list[tuple[int, str]] = []

    @property
    def problems(self) -> tuple[str, ...]:
        """All that was found, in the order of the file; what is missing last."""
        return tuple(text for _, text in sorted(self._problems, key=lambda each: each[0]))

    def problem(self, key: str, what: str, cure: str) -> str:
        """Keep *what* is wrong at *key*; returns the line."""
        places = list(self.values)
        place = places.index(key) if key in places else len(places)
        line = f"{self.path}.{key}: {what}; {cure}"
        self._problems.append((place, line))
        return line

    def adopt(self, key: str, problems: Iterable[str]) -> None:
        """Keep the problems of a table inside this one."""
        place = list(self.values).index(key)
        self._problems += [(place, each) for each in problems]

    def known(self, keys: Sequence[str], others: Mapping[str, str] | None = None) -> list[str]:
        """Find the keys that are none of *keys*; *others* says why some are not. Returns what was meant."""
        guesses = []
        for key in self.values:
            if key in keys:
                continue
            meant = near(key, keys)
            guesses += [meant] if meant else []
            if others and key in others:
                self.problem(key, *others[key].split("; ", 1))
            else:
                self.problem(
                    shown_key(key), "unknown key", f'did you mean "{meant}"?' if meant else f"it takes {any_of(keys)}"
                )
        return guesses

    def text(self, key: str) -> str | None:
        """A text that is not empty."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, str) and value.strip():
            return value.strip()
        self.problem(key, f"{self.shown(value)} is not text" if value != "" else "empty", "write it in quotes")
        return None

    def flag(self, key: str) -> bool | None:
        """True or false."""
        value = self.values.get(key)
        if value is None or isinstance(value, bool):
            return value
        self.problem(key, f"{self.shown(value)} is neither true nor false", "write true or false, without quotes")
        return None

    def number(self, key: str, *, least: float = 0.0) -> float | None:
        """A number of at least *least*."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            quoted = value.strip() if isinstance(value, str) and _is_number(value) else None
            cure = f"write {quoted}, without quotes" if quoted else "write one, such as 25 or 0.5"
            self.problem(key, f"{self.shown(value)} is not a number", cure)
            return None
        if value < least:
            self.problem(key, f"{self.shown(value)} is below {least:g}", f"write {least:g} or more")
            return None
        return float(value)

    def duration(self, key: str, *, least: float = 0.0) -> float | None:
        """Seconds of a text such as 10m."""
        value = self.values.get(key)
        if value is None:
            return None
        span = seconds(value) if isinstance(value, str) else None
        if span is None:
            self.problem(key, f"{self.shown(value)} is not a duration", "write 10m, 90s or 1h")
        elif span < least:
            self.problem(key, f"{self.shown(value)} is too short", f"write {least:g}s or more")
        elif span > LONGEST_S:
            self.problem(key, f"{self.shown(value)} is longer than the rows are kept", "write 90d or less")
        else:
            return span
        return None

    def one_of(self, key: str, choices: Sequence[Choice], what: str) -> Choice | None:
        """One of *choices*; *what* they are."""
        value = self.values.get(key)
        if value is None or value in choices:
            return cast("Choice | None", value)
        meant = near(value, choices) if isinstance(value, str) else None
        self.problem(
            key,
            f"{self.shown(value)} is no {what}",
            f'did you mean "{meant}"?' if meant else f"write {any_of(choices)}",
        )
        return None

    def variable(self, key: str, environ: Mapping[str, str], then: str) -> str | None:
        """What the variable holds that *key* names; *then* says what follows if it is not set."""
        name = self.values.get(key)
        if name is None:
            return None
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name, re.ASCII):
            self.problem(key, "not the name of a variable", f"put the secret into one and write its name, {then}")
            return None
        value = environ.get(name, "").strip()
        if not value:
            called = name if _VARIABLE.fullmatch(name) else "the variable it names"
            self.unset.append(self.problem(key, f"{called} is not set", f"set it in the monitor's environment, {then}"))
        return value or None

    def shown(self, value: object) -> str:
        """*value* as it stands in the file, unless it is long or may be a secret."""
        match value:
            case bool():
                return str(value).lower()
            case str() if self.is_secret and not _WORD.fullmatch(value):
                return "that text"
            case str():
                is_plain = len(value) <= _MOST_SHOWN and "://" not in value and value.isprintable()
                return f'"{value}"' if is_plain else "that text"
            case list():
                return "an array"
            case dict():
                return "a table"
        return str(value)


def tables(all_tables: Mapping[str, object], name: str, problems: list[str]) -> dict[str, Mapping[str, object]]:
    """The tables `[name.*]`; what is no table is a problem."""
    found = all_tables.get(name, {})
    if not isinstance(found, Mapping):
        problems.append(f"{name}: not a table; write [{name}.NAME]")
        return {}
    made = {}
    for key, value in found.items():
        if isinstance(value, Mapping):
            made[key] = value
        else:
            problems.append(f"{name}.{shown_key(key)}: not a table; write [{name}.NAME] and below it the keys")
    return made


def near(word: str, choices: Iterable[str]) -> str | None:
    """What was probably meant by *word*."""
    return next(iter(difflib.get_close_matches(word, list(choices), n=1, cutoff=0.6)), None)


def any_of(choices: Sequence[str]) -> str:
    """`a, b or c`."""
    return f"{', '.join(choices[:-1])} or {choices[-1]}" if len(choices) > 1 else choices[0]


def shown_key(key: str) -> str:
    """*key* as TOML writes it; quoted and cut if it has more than letters, digits, _ and -."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]{1,40}", key, re.ASCII) else json.dumps(key[:20])


def is_web_address(text: str) -> bool:
    """Whether *text* is an http or https URL with a host."""
    try:
        parts = urlsplit(text)
        is_whole = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return is_whole and parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", text)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
