"""The page of the public names, from their signatures and docstrings."""

import inspect
from collections.abc import Iterator
from typing import Any, Final

import otel_guard
from otel_guard.alerts.sending import Alerts
from otel_guard.core.exceptions import OtelGuardError
from otel_guard.health.health import Health
from otel_guard.health.heartbeat import Heartbeats

HEAD: Final = """\
# What an application calls

All of it is thread-safe and may be called from `async` code; only `flush` and `close` wait. Before `configure()`, and with
`enabled = false`, the functions do nothing.

<!-- Written by `make docs` from signatures and docstrings. -->
"""
# Members of the Guard that applications use: what they are called there, and where they are.
MEMBERS: Final = (
    ("guard.heartbeat", Heartbeats.__call__),
    ("guard.health.add", Health.add),
    ("guard.health.queue", Health.queue),
    ("guard.alerts.send", Alerts.send),
)


def text() -> str:
    """Return the whole page."""
    return HEAD + "".join(_functions()) + "".join(_others())


def _functions() -> Iterator[str]:
    for name in otel_guard.__all__:
        found: Any = getattr(otel_guard, name)
        if inspect.isfunction(found):
            yield _section(f"otel_guard.{name}", found)
    yield "\n# The Guard\n\n`configure()` returns it, `current()` gives it; `with configure() as guard:` closes at the end. "
    yield "`guard.settings` is what holds, `guard.problems` a line for each thing that is wrong.\n"
    for name, member in MEMBERS:
        yield _section(name, member)


def _others() -> Iterator[str]:
    yield "\n# Types\n\n"
    for name in otel_guard.__all__:
        found: Any = getattr(otel_guard, name)
        if inspect.isclass(found):
            kind = "exception" if issubclass(found, OtelGuardError) else "class"
            yield f"* `{name}`: {kind}. {(inspect.getdoc(found) or '').splitlines()[0]}\n"
        elif not inspect.isfunction(found):
            yield f"* `{name}`: one of {', '.join(f'`{value}`' for value in found.__args__)}\n"


def _section(name: str, found: Any) -> str:
    signature = str(inspect.signature(found)).replace("(self, ", "(").replace("(self)", "()")
    return f"\n## {name}\n\n```text\n{name}{signature}\n```\n\n{inspect.getdoc(found)}\n"
