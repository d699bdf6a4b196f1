"""The page of all settings, from their table."""

import types
from collections.abc import Iterator
from itertools import groupby
from typing import Annotated, Final, Literal, Union, get_args, get_origin

from otel_guard.settings.tree import Row, rows

WORDS: Final = {bool: "true, false", int: "whole number", float: "number", str: "text"}
HEAD: Final = """\
# Settings

Every setting has one name and can be given in three ways. The first of these that there is holds:

| | how | example |
|---|---|---|
| 1 | keyword of `configure()` | `otel_guard.configure(slow_database_ms=200)` |
| 2 | environment variable | `OTEL_GUARD_SLOW_DATABASE_MS=200` |
| 3 | file: `$OTEL_GUARD_CONFIG`, else `otel_guard.toml` in the working folder | `[slow]` and below it `database_ms = 200` |
| 4 | default | |

Lists are given by comma in the environment, as arrays in the file. A variable that is set but empty counts as unset. A
*secret* is never printed. An unknown name or a wrong value is said in one line on stderr and in `guard.problems`; the
application runs on with the default. With `strict` it is an error instead. A wrong keyword is always a `TypeError`.

The groups `dashboard` and `payments` are read and checked, and do little so far: their pages and the payment pause are not
released yet. What `[rule]`, `[channel]`, `[escalation]` and `[check]` take is in [Rules](rules.md) and [Health](health.md).

<!-- Written by `make docs`; change otel_guard/settings/tree.py instead. -->
"""
TAIL: Final = """
## Only in the file

`[[classify]]` rows say what a failure is. The first row whose conditions all hold wins:

```toml
[[classify]]
exception = "openai.RateLimitError" # dotted name; base classes match too
severity = "low"                    # low, medium, high, critical, or ignore

[[classify]]
route = "/checkout"
system = "postgresql"
severity = "critical"

[[classify]]
message_starts_with = "quota"
context = "api"                     # a condition
set_context = "ai"                  # what it becomes
```

`[[redaction.rule]]` rows hide what the built-in rules cannot know. The pattern is only tried where the trigger occurs:

```toml
[[redaction.rule]]
kind = "membership"
trigger = "FK-"
pattern = "FK-[0-9]{6}"
```

## Variables of others that are read

| variable | for |
|---|---|
| `SENTRY_DSN` | Sentry, where the application has no client of its own |
| `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` | service, `deployment.environment.name`, `service.version`, `host.name` |
| `SENTRY_ENVIRONMENT` | the environment, where neither `environment` nor OpenTelemetry's attribute is given |
| `SENTRY_RELEASE`, `HEROKU_SLUG_COMMIT`, `RENDER_GIT_COMMIT`, `RAILWAY_GIT_COMMIT_SHA`, `GIT_SHA` | the release, the first given |
| `OTEL_EXPORTER_OTLP_ENDPOINT` and the other `OTEL_*` | OpenTelemetry's SDK: where spans go, sampling, batching |
"""


def text() -> str:
    """Return the whole page."""
    return HEAD + "".join(_groups()) + TAIL


def _groups() -> Iterator[str]:
    ordered = sorted(rows(), key=lambda row: "." in row.name)
    for group, settings in groupby(ordered, key=lambda row: row.name.rpartition(".")[0]):
        yield f"\n## {group or 'General'}\n\n| setting | variable | value | default | |\n|---|---|---|---|---|\n"
        yield from map(_line, settings)


def _line(row: Row) -> str:
    kind = _kind(row.type) + (", *secret*" if row.is_secret else "")
    return f"| `{row.name}` | `{row.variable}` | {kind} | {_default(row.default)} | {row.doc} |\n"


def _kind(kind: object) -> str:
    if isinstance(kind, type):
        return WORDS[kind]
    inner = get_args(kind)
    if get_origin(kind) is Annotated:
        return _kind(inner[0])
    if get_origin(kind) is Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if get_origin(kind) in (Union, types.UnionType):
        return ", ".join(_kind(each) for each in inner if each is not type(None))
    return "list"


def _default(value: object) -> str:
    match value:
        case None | ():
            return ""
        case bool():
            return str(value).lower()
        case tuple():
            return ", ".join(map(str, value))
        case float():
            return f"{value:g}"
        case _:
            return str(value)
