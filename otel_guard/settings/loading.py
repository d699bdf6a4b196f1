"""Read the settings from keywords, environment and file; say what is wrong and what to do."""

import difflib
import tomllib
from collections.abc import Callable, Iterator, Mapping
from os import environ as process_environ
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from otel_guard.core.exceptions import SettingsError
from otel_guard.settings.tree import PREFIX, ClassifyRow, RedactionRule, Row, Settings, rows

FILE_NAME: Final = "otel_guard.toml"
# Read by others: the Collector's file, its tests, ourselves below.
FOREIGN: Final = frozenset(
    PREFIX + name
    for name in ("AI_CONTENT", "COLLECTOR", "CONFIG", "KEEP_PERCENT", "LINKS", "LOGS_TO", "METRICS_TO", "TRACES_TO")
)
FOREIGN_PREFIXES: Final = tuple(PREFIX + name for name in ("COLLECTOR_", "UPSTREAM_", "QUEUE_", "REQUIRE_", "DEMO_"))
FILE_TABLES: Final = ("rule", "channel", "escalation", "check")


class Loaded(Struct, frozen=True):
    """The settings that hold, where each came from, and a line for each thing that is wrong."""

    settings: Settings
    problems: tuple[str, ...]
    sources: Mapping[str, str]  # dotted name -> keyword, environment, file; absent: default


def load(
    overrides: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Loaded:
    """Read all settings.

    Raises:
        TypeError: an unknown keyword, or one of the wrong type (the programmer's).
        SettingsError: with `strict`, the first problem of environment or file.
    """
    environ = process_environ if environ is None else environ
    table = {row.name: row for row in rows()}
    problems: list[str] = []
    values: dict[str, object] = {}
    sources: dict[str, str] = {}
    tables = _from_file(environ, cwd or Path(), table, problems, _store(values, sources, "file"))
    _from_environment(environ, table, problems, _store(values, sources, "environment"))
    _from_keywords(overrides or {}, table, _store(values, sources, "keyword"))
    settings = _build(values, tables)
    if settings.strict and problems:
        raise SettingsError(problems[0])
    return Loaded(settings, tuple(problems), sources)


Keep = Callable[[str, object], None]


def _store(values: dict[str, object], sources: dict[str, str], source: str) -> Keep:
    def keep(name: str, value: object) -> None:
        values[name] = value
        sources[name] = source

    return keep


def _from_keywords(overrides: Mapping[str, object], table: Mapping[str, Row], keep: Keep) -> None:
    by_keyword = {row.keyword: row for row in table.values()}
    for keyword, value in overrides.items():
        row = by_keyword.get(keyword)
        if row is None:
            raise TypeError(f"configure() has no setting {keyword!r}{_meant(keyword, by_keyword)}")
        plain = str(value) if isinstance(value, Path) else tuple(value) if isinstance(value, list | set) else value
        try:
            keep(row.name, msgspec.convert(plain, row.type))
        except msgspec.ValidationError as error:
            raise TypeError(f"configure({keyword}=…): {_reason(error)}") from error


def _from_environment(environ: Mapping[str, str], table: Mapping[str, Row], problems: list[str], keep: Keep) -> None:
    by_variable = {row.variable: row for row in table.values()}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable in FOREIGN or variable.startswith(FOREIGN_PREFIXES):
            continue
        row, text = by_variable.get(variable), environ[variable].strip()
        if row is None:
            problems.append(f"{variable} is no setting{_meant(variable, by_variable)}; it is ignored")
        elif text:
            value: object = tuple(part.strip() for part in text.split(",") if part.strip()) if row.is_list else text
            _take(row, value, variable, problems, keep, is_text=True)


def _from_file(
    environ: Mapping[str, str], cwd: Path, table: Mapping[str, Row], problems: list[str], keep: Keep
) -> dict[str, object]:
    named = environ.get(PREFIX + "CONFIG")
    path = Path(named) if named else cwd / FILE_NAME
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if named:
            problems.append(
                f"OTEL_GUARD_CONFIG names {named}, which is not there: write the file or unset the variable"
            )
        return {}
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path} cannot be read ({error}); it is ignored")
        return {}
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{path} is not TOML: {error}; the whole file is ignored")
        return {}
    tables = _only_in_file(content, path, problems)
    for name, value in _flat(content, ""):
        row = table.get(name)
        if row is None:
            problems.append(f"{path}: {name} is no setting{_meant(name, table)}; it is ignored")
        else:
            plain = tuple(value) if isinstance(value, list) else value
            _take(row, plain, f"{path}: {name}", problems, keep, is_text=False)
    return tables


def _only_in_file(content: dict[str, object], path: Path, problems: list[str]) -> dict[str, object]:
    """Take out of *content* what stands only in files."""
    kept: dict[str, object] = {"tables": {name: content.pop(name) for name in FILE_TABLES if name in content}}
    kept["classify"] = _array(content.pop("classify", []), ClassifyRow, f"{path}: classify", problems)
    redaction = content.get("redaction")
    rules = redaction.pop("rule", []) if isinstance(redaction, dict) else []
    kept["redaction_rules"] = _array(rules, RedactionRule, f"{path}: redaction.rule", problems)
    return kept


def _array(items: object, row: type[Struct], where: str, problems: list[str]) -> tuple[object, ...]:
    if not isinstance(items, list):
        problems.append(f"{where} must be an array of tables: write [[{where.rpartition(' ')[2]}]]; it is ignored")
        return ()
    good = []
    for number, item in enumerate(items):
        try:
            good.append(msgspec.convert(item, row))
        except msgspec.ValidationError as error:
            problems.append(f"{where}[{number}]: {_reason(error)}; the row is ignored")
    return tuple(good)


def _flat(content: Mapping[str, object], prefix: str) -> Iterator[tuple[str, object]]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _take(row: Row, value: object, where: str, problems: list[str], keep: Keep, *, is_text: bool) -> None:
    try:
        keep(row.name, msgspec.convert(value, row.type, strict=not is_text))
    except msgspec.ValidationError as error:
        shown = "" if row.is_secret else f" (it is {value!r})"
        default = "none" if row.default in (None, ()) else row.default
        problems.append(f"{where}: {_reason(error)}{shown}; the default holds: {default}")


def _build(values: Mapping[str, object], tables: Mapping[str, object]) -> Settings:
    groups: dict[str, dict[str, object]] = {}
    top: dict[str, object] = dict(tables)
    for name, value in values.items():
        group, dot, rest = name.partition(".")
        if dot:
            groups.setdefault(group, {})[rest] = value
        else:
            top[name] = value
    base = Settings()
    top |= {name: msgspec.structs.replace(getattr(base, name), **fields) for name, fields in groups.items()}
    return msgspec.structs.replace(base, **top)


def _reason(error: msgspec.ValidationError) -> str:
    return str(error).replace("`", "").replace("Object contains unknown field", "unknown key")


def _meant(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    return f" (did you mean {near[0]}?)" if near else ""
